"""What is written so that the rows of one run tell what its events do."""

import random
from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from loopwatch_collector.event_parts import CALL, HIDDEN_KIND, RESPONSE, RESULT, RUN
from loopwatch_collector.store.assembly import Answered, Change, Ended, EventRow, Shown, changes_of

MINUTE_NS = 60 * 10**9
ROOT = b"root"


def _row(name: str, at_ns: int, part: str = "", **values: Any) -> EventRow:
    given: dict[str, Any] = {
        "run_id": "r", "trace_id": b"t", "span_id": name.encode(), "parent_span_id": ROOT, "start_ns": at_ns,
        "duration_ns": 0, "row_version": 1, "kind": HIDDEN_KIND if part in {RESULT, RESPONSE} else "tool_call",
        "part": part, "tool": "s", "call_id": "", "result_event": "", "response_event": "", **values,
    }  # fmt: skip
    return EventRow(**given)


def _written(rows: Sequence[EventRow], changes: Sequence[Change]) -> list[EventRow]:
    """The rows once the changes are in the store, by identity: trace, span and minute."""
    stored = {(row.span_id, row.start_ns // MINUTE_NS): row for row in rows}
    for change in changes:
        match change:
            case Shown(row, kind):
                made = row._replace(kind=kind)
            case Answered(call, result):
                told = (0, "") if result is None else (max(0, result.end_ns - call.start_ns), result.span_id.hex())
                made = call._replace(duration_ns=told[0], result_event=told[1])
            case Ended(response, start_ns):
                made = response._replace(
                    span_id=ROOT, parent_span_id=b"", kind="run", part=RUN, start_ns=start_ns,
                    duration_ns=response.end_ns - start_ns, response_event=response.span_id.hex(),
                )  # fmt: skip
        stored[made.span_id, made.start_ns // MINUTE_NS] = made
    return sorted(stored.values())


def _settled(rows: Sequence[EventRow]) -> list[EventRow]:
    written = _written(rows, changes_of(rows))
    assert changes_of(written) == []
    return written


def _seen(rows: Sequence[EventRow]) -> list[EventRow]:
    return [row for row in rows if row.kind != HIDDEN_KIND]


_MOMENTS = st.integers(0, 5 * MINUTE_NS)
_EVENTS = st.lists(st.tuples(_MOMENTS, st.sampled_from(["", CALL, RESULT, RESPONSE])), min_size=1, max_size=10)


@given(_EVENTS, st.integers())
@settings(deadline=None)
def test_the_order_of_arrival_makes_no_difference(events: list[tuple[int, str]], seed: int) -> None:
    """Put together after each event or once at the end, in any order, what is seen of a run is the same."""
    rows = [_row(f"e{n}", at_ns, part) for n, (at_ns, part) in enumerate(events)]
    at_once = _seen(_settled(rows))
    one_by_one: list[EventRow] = []
    for row in random.Random(seed).sample(rows, len(rows)):
        one_by_one = _settled([*one_by_one, row])
    assert _seen(one_by_one) == at_once
    runs = [row for row in at_once if row.kind == "run"]
    assert len(runs) == any(part == RESPONSE for _, part in events)


def test_events_that_come_again_are_put_together_again() -> None:
    """A call sent again says less than what is stored, until it is put together with its result once more."""
    rows = [_row("c", 0, CALL), _row("r", 5, RESULT), _row("end", 9, RESPONSE)]
    settled = _settled(rows)
    again = [next((raw for raw in rows if raw.span_id == row.span_id), row) for row in settled]
    assert _settled(again) == settled


def test_a_record_that_began_twice_is_seen_once() -> None:
    """A record without a time that two collectors dated differently keeps the earlier of its two beginnings."""
    once = [_row("root", 0, kind="run"), _row("tool", 10)]
    again = [row._replace(start_ns=row.start_ns + 2 * MINUTE_NS) for row in once]
    assert _seen(_settled([*once, *again])) == sorted(once)


def test_a_call_keeps_a_result_that_has_no_row() -> None:
    """Calls answered before results had rows of their own stay answered, and take no other result."""
    answered = _row("c", 0, CALL, result_event="00ff")
    assert _seen(_settled([answered, _row("r", 5, RESULT)])) == [answered, _row("r", 5, RESULT, kind="tool_call")]
