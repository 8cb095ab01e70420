"""What a run's spans say."""

from typing import Any

from loopwatch_dashboards import spans


def _span(span_id: str, kind: str, offset: int, **more: Any) -> dict[str, Any]:
    return {
        "span_id": span_id, "run_id": "r", "kind": kind, "offset_ns": offset, "duration_ns": 10, "iteration": 1,
        "status": "", "tool_outcome": "", "counted": kind == "model_call", "cost_usd": None, "events": [],
        "input_tokens": 0, "output_tokens": 0, "cache_read_tokens": 0, "cache_write_tokens": 0,
        "name": span_id, "error_type": "", **more,
    }  # fmt: skip


ESCALATION = {"name": "loopwatch.escalation", "time": "", "offset_ns": 50, "attributes": {}}
ESCALATED = [
    _span("run", "run", 0, events=[ESCALATION]),
    _span("m1", "model_call", 5, cost_usd=0.25),
    _span("t1", "tool_call", 20),
    _span("m2", "model_call", 40, cost_usd=0.5, iteration=2),
    _span("m3", "model_call", 70, cost_usd=4.0, iteration=3),
]


def test_run_gave_up_at_the_last_call_before_its_escalation() -> None:
    """What came after the escalation is not where the run gave up, nor in what it cost until then."""
    gave_up = spans.gave_up(ESCALATED)
    assert gave_up is not None
    assert gave_up["span_id"] == "m2"
    assert spans.escalation(ESCALATED) == ESCALATION
    assert spans.cost_until(ESCALATED, 50) == 0.75


def test_run_that_did_not_escalate_gave_up_nowhere() -> None:
    """A run without the event has no such moment."""
    assert spans.gave_up(ESCALATED[1:]) is None
    assert spans.escalation([]) is None


def test_nested_run_stands_at_its_time_in_the_run_around_it() -> None:
    """The spans of a nested run are moved by how much later it began."""
    run, child = {"start_time": "2026-11-20T10:00:00Z"}, {"start_time": "2026-11-20T10:00:01.5Z"}
    offset_ns = spans.offset_in(child, run)
    assert offset_ns == 1_500_000_000
    assert [span["offset_ns"] for span in spans.shifted(ESCALATED[1:3], offset_ns)] == [1_500_000_005, 1_500_000_020]


def test_iterations_have_the_numbers_of_their_counted_calls() -> None:
    """Tokens and cost of an iteration are those of its counted model calls; calls seen twice count once."""
    twice = _span("m1b", "model_call", 6, cost_usd=0.25, counted=False, input_tokens=100)
    first, second, _ = spans.iterations([*ESCALATED[1:], twice])
    assert (first.cost_usd, first.input_tokens, len(first.spans)) == (0.25, 0, 3)
    assert (second.number, second.cost_usd) == (2, 0.5)


def test_table_behind_a_runs_charts_has_a_row_per_span() -> None:
    """The table names where it comes from and holds every span."""
    answer = spans.as_answer("feed" * 8, ESCALATED)
    assert answer.query == "runs/feedfeed…/spans"
    assert [row["span_id"] for row in answer.rows] == ["run", "m1", "t1", "m2", "m3"]
