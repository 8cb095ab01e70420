"""Records of the journal as what one round of inserts stores."""

from typing import Final, NamedTuple

from loopwatch_collector.journal.record import Record
from loopwatch_collector.prices.price import Pricer
from loopwatch_collector.store.rows import SPAN_INDEX
from loopwatch_collector.write.contents import ContentKey, Contents
from loopwatch_collector.write.decode import Row, Rows, add_rows
from loopwatch_collector.write.handovers import DEFAULT_HANDOVERS, Handovers
from loopwatch_collector.write.kinds import MODEL_CALL

_KIND: Final = SPAN_INDEX["kind"]
_RUN_ID: Final = SPAN_INDEX["run_id"]
_START: Final = SPAN_INDEX["start_time"]

Touch = tuple[str, str, int, int]
"""Project, run id, earliest and latest start in ns since the epoch: a run that gets new spans."""


class Batch(NamedTuple):
    """What some records hold, as rows.

    Attributes:
        records: the records, in order.
        rows: their rows; the spans are priced.
        touched: the runs that get new spans.
    """

    records: list[Record]
    rows: Rows
    touched: list[Touch]


def batch_of(
    records: list[Record], known: set[ContentKey], pricer: Pricer, handovers: Handovers = DEFAULT_HANDOVERS
) -> Batch:
    """Decodes, normalises and prices records.

    Args:
        records: of any projects. Their unpacked bodies, several times the rows made of them, go one by one.
        known: contents that are in the store already.
        pricer: fills the cost columns.
        handovers: which tools hand a run over, for senders that do not say it.

    Raises:
        Undecodable: a record does not decode.
    """
    rows = Rows(Contents(known), handovers)
    extents: _Extents = {}
    price = pricer.price
    for index, record in enumerate(records):
        seen = len(rows.spans)
        add_rows(rows, record)
        records[index] = record._replace(raw=None)
        # While the rows are in the processor's caches: a pass over all of them later costs as much again.
        added = rows.spans[seen:]
        for row in added:
            if row[_KIND] == MODEL_CALL:
                price(row)
        _extend(extents, record.project, added)
    return Batch(records, rows, [(*run, *extent) for run, extent in extents.items()])


_Extents = dict[tuple[str, str], tuple[int, int]]


def _extend(extents: _Extents, project: str, rows: list[Row]) -> None:
    for row in rows:
        run, start_ns = (project, row[_RUN_ID]), row[_START]
        extent = extents.get(run)
        if extent is None:
            extents[run] = start_ns, start_ns
        elif start_ns < extent[0]:
            extents[run] = start_ns, extent[1]
        elif start_ns > extent[1]:
            extents[run] = extent[0], start_ns
