"""Records of the journal as what one round of inserts stores."""

from typing import Final, NamedTuple

from loopwatch_collector.journal.record import Record
from loopwatch_collector.prices.price import Pricer
from loopwatch_collector.store.rows import SPAN_INDEX
from loopwatch_collector.write.contents import ContentKey, Contents
from loopwatch_collector.write.decode import Rows, add_rows
from loopwatch_collector.write.handovers import DEFAULT_HANDOVERS, Handovers

_PROJECT: Final = SPAN_INDEX["project"]
_RUN_ID: Final = SPAN_INDEX["run_id"]
_START: Final = SPAN_INDEX["start_time"]

Touch = tuple[str, str, int, int]
"""Project, run id, earliest and latest start in ns since the epoch: a run that gets new spans."""


class Batch(NamedTuple):
    """What some records hold, as rows.

    Attributes:
        records: the records, in order.
        rows: their rows; the spans are priced.
    """

    records: list[Record]
    rows: Rows

    def touched(self) -> list[Touch]:
        """The runs that get new spans."""
        extents: dict[tuple[str, str], tuple[int, int]] = {}
        for row in self.rows.spans:
            key, start_ns = (row[_PROJECT], row[_RUN_ID]), row[_START]
            earliest, latest = extents.get(key, (start_ns, start_ns))
            extents[key] = (min(earliest, start_ns), max(latest, start_ns))
        return [(*key, *extent) for key, extent in extents.items()]


def batch_of(
    records: list[Record], known: set[ContentKey], pricer: Pricer, handovers: Handovers = DEFAULT_HANDOVERS
) -> Batch:
    """Decodes, normalises and prices records.

    Args:
        records: of any projects.
        known: contents that are in the store already.
        pricer: fills the cost columns.
        handovers: which tools hand a run over, for senders that do not say it.

    Raises:
        Undecodable: a record does not decode.
    """
    rows = Rows(Contents(known), handovers)
    for record in records:
        add_rows(rows, record)
    price = pricer.price
    for row in rows.spans:
        price(row)
    # The decompressed bodies go as soon as their rows are made.
    return Batch([record._replace(raw=None) for record in records], rows)
