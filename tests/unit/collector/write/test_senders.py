"""The account of the sending processes."""

from typing import Any

from loopwatch import names
from loopwatch_collector.store.rows import METRIC_POINT_COLUMNS, SPAN_DEFAULTS, SPAN_INDEX
from loopwatch_collector.write.senders import Senders


def _row(seq: int, process: str = "p1") -> list[Any]:
    row = list(SPAN_DEFAULTS)
    row[SPAN_INDEX["service"]], row[SPAN_INDEX["process_id"]], row[SPAN_INDEX["seq"]] = "agent", process, seq
    row[SPAN_INDEX["span_id"]] = process.encode() + seq.to_bytes(6, "big")
    return row


def _dropped(value: int, reason: str) -> list[Any]:
    said = {"metric": names.DROPPED_SPANS_METRIC, "service": "agent", "process_id": "p1", "value": float(value),
            "attributes": {names.DROP_REASON: reason}}  # fmt: skip
    return [said.get(column.name, column.default) for column in METRIC_POINT_COLUMNS]


def test_gaps_are_counted_by_process_and_close_when_spans_come_late() -> None:
    """A missing number is a gap until its span arrives; each process has its own numbers."""
    senders = Senders()
    senders.note_spans([_row(1), _row(2), _row(5), _row(1, "p2"), _row(3, "p2")])
    assert {key[2]: sender.missing for key, sender in senders.list()} == {"p1": 2, "p2": 1}
    senders.note_spans([_row(4), _row(3)])
    assert {key[2]: sender.missing for key, sender in senders.list()} == {"p1": 0, "p2": 1}


def test_spans_that_come_again_are_counted_as_duplicates() -> None:
    """A span sent again, in the same batch or a later one, is a duplicate; the first is not."""
    senders = Senders()
    assert senders.note_spans([_row(1), _row(2)]) == 0
    assert senders.note_spans([_row(2), _row(3), _row(3)]) == 2


def test_drops_are_cumulative_per_reason() -> None:
    """SDKs report totals: the highest of a reason stands, whatever order the points come in."""
    senders = Senders()
    senders.note_points([_dropped(5, "queue full"), _dropped(3, "queue full"), _dropped(1, "spool full")])
    assert senders.list()[0][1].dropped == {"queue full": 5, "spool full": 1}
