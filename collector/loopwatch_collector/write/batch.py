"""Records of the journal as what one round of inserts stores."""

from dataclasses import dataclass, field
from typing import Any

from loopwatch_collector.journal.record import Record
from loopwatch_collector.prices.price import Pricer
from loopwatch_collector.store.rows import SPAN_INDEX
from loopwatch_collector.write.contents import ContentKey, Contents
from loopwatch_collector.write.decode import rows_of

_PROJECT = SPAN_INDEX["project"]
_RUN_ID = SPAN_INDEX["run_id"]
_START = SPAN_INDEX["start_time"]

Touch = tuple[str, str, int, int]
"""Project, run id, earliest and latest start in ns since the epoch: a run that gets new spans."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What some records hold, as rows.

    Attributes:
        records: the records, in order.
        spans: rows in the order of SPAN_COLUMNS, priced.
        contents: bodies the spans refer to.
    """

    records: list[Record]
    contents: Contents
    spans: list[list[Any]] = field(default_factory=list[list[Any]])

    @property
    def last_id(self) -> int:
        """The place of its last record in the journal."""
        return self.records[-1].id

    def touched(self) -> list[Touch]:
        """The runs that get new spans."""
        extents: dict[tuple[str, str], tuple[int, int]] = {}
        for row in self.spans:
            key, start_ns = (row[_PROJECT], row[_RUN_ID]), row[_START]
            earliest, latest = extents.get(key, (start_ns, start_ns))
            extents[key] = (min(earliest, start_ns), max(latest, start_ns))
        return [(*key, *extent) for key, extent in extents.items()]


def batch_of(records: list[Record], known: set[ContentKey], pricer: Pricer) -> Batch:
    """Decodes, normalises and prices records.

    Args:
        records: of any projects.
        known: contents that are in the store already.
        pricer: fills the cost columns.

    Raises:
        Undecodable: a record does not decode.
    """
    batch = Batch(records, Contents(known))
    for record in records:
        batch.spans.extend(rows_of(record, batch.contents))
    price = pricer.price
    for row in batch.spans:
        price(row)
    return batch
