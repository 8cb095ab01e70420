"""What a run's spans say: where it failed, where it gave up, what each iteration took."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from loopwatch_dashboards.api import Answer, Column
from loopwatch_dashboards.formatting import parse_time

Span = Mapping[str, Any]
TABLE: Final = tuple(
    Column(name, unit)
    for name, unit in {
        "span_id": "text",
        "kind": "text",
        "name": "text",
        "iteration": "count",
        "offset_ns": "ns",
        "duration_ns": "ns",
        "input_tokens": "tokens",
        "output_tokens": "tokens",
        "cost_usd": "usd",
        "status": "text",
        "error_type": "text",
    }.items()
)
CALLS: Final = ("model_call", "tool_call")


class Iteration(NamedTuple):
    """One iteration's numbers.

    Attributes:
        number: its place in the run, from 1.
        offset_ns: from the run's start to its own.
        duration_ns: from its first span's start to its last one's end.
        input_tokens: sent to models, cached input included: the context's size.
        cache_read_tokens: of these, read from the cache.
        cache_write_tokens: of these, written to the cache.
        output_tokens: received.
        cost_usd: None where no call has a price.
        failed: model and tool calls that failed.
        spans: its spans by start.
    """

    number: int
    offset_ns: int
    duration_ns: int
    input_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    output_tokens: int
    cost_usd: float | None
    failed: int
    spans: tuple[Span, ...]


def is_failed(span: Span) -> bool:
    """Whether a span ended in an error."""
    return span["status"] == "error" or span["tool_outcome"] == "error"


def failures(spans: Sequence[Span]) -> list[Span]:
    """The model and tool calls that failed, the first one first; else any failed spans."""
    failed = sorted((span for span in spans if is_failed(span)), key=lambda span: span["offset_ns"])
    return [span for span in failed if span["kind"] in CALLS] or failed


def escalation(spans: Sequence[Span]) -> Mapping[str, Any] | None:
    """The event with which the run was handed to a human; None where it was not."""
    events = [event for span in spans for event in span["events"] if event["name"].rpartition(".")[2] == "escalation"]
    return min(events, key=lambda event: event["offset_ns"], default=None)


def gave_up(spans: Sequence[Span]) -> Span | None:
    """The last call before the run was handed to a human; None where it was not, or called nothing before."""
    event = escalation(spans)
    if event is None:
        return None
    calls = [span for span in spans if span["kind"] in CALLS and span["offset_ns"] <= event["offset_ns"]]
    return max(calls, key=lambda span: span["offset_ns"], default=None)


def cost_until(spans: Sequence[Span], until_ns: int) -> float | None:
    """What a run's counted model calls that began before a moment cost; None where none has a price."""
    costs = [span["cost_usd"] for span in spans if span["counted"] and span["offset_ns"] <= until_ns]
    known = [cost for cost in costs if cost is not None]
    return sum(known) if known else None


def offset_in(child: Mapping[str, Any], run: Mapping[str, Any]) -> int:
    """How long after a run's start a nested run began, in nanoseconds."""
    own, its = parse_time(run["start_time"]), parse_time(child["start_time"])
    return round((its - own).total_seconds() * 1e9) if own and its else 0


def shifted(spans: Sequence[Span], by_ns: int) -> list[dict[str, Any]]:
    """Spans of a nested run as the run around it sees them: their offsets from its start."""
    return [{**span, "offset_ns": span["offset_ns"] + by_ns} for span in spans]


def iterations(spans: Sequence[Span]) -> list[Iteration]:
    """Each iteration of a run with what it took; tokens and cost of counted model calls only."""
    numbers = sorted({span["iteration"] for span in spans if span["iteration"]})
    return [_iteration(number, [span for span in spans if span["iteration"] == number]) for number in numbers]


def _iteration(number: int, spans: list[Span]) -> Iteration:
    counted = [span for span in spans if span["counted"] and span["kind"] == "model_call"]
    costs = [span["cost_usd"] for span in counted if span["cost_usd"] is not None]
    start = min(span["offset_ns"] for span in spans)
    end = max(span["offset_ns"] + span["duration_ns"] for span in spans)

    def total(column: str) -> int:
        return sum(span[column] or 0 for span in counted)

    return Iteration(
        number=number,
        offset_ns=start,
        duration_ns=end - start,
        input_tokens=total("input_tokens"),
        cache_read_tokens=total("cache_read_tokens"),
        cache_write_tokens=total("cache_write_tokens"),
        output_tokens=total("output_tokens"),
        cost_usd=sum(costs) if costs else None,
        failed=sum(is_failed(span) for span in spans if span["kind"] in CALLS),
        spans=tuple(sorted(spans, key=lambda span: (span["offset_ns"], span["span_id"]))),
    )


def tool_calls(spans: Sequence[Span]) -> dict[str, tuple[int, int]]:
    """Calls and failed calls by tool, in the order of first use."""
    counts: dict[str, tuple[int, int]] = {}
    for span in sorted(spans, key=lambda one: one["offset_ns"]):
        if span["kind"] == "tool_call":
            calls, failed = counts.get(span["tool"], (0, 0))
            counts[span["tool"]] = (calls + 1, failed + is_failed(span))
    return counts


def as_answer(run_id: str, spans: Sequence[Span]) -> Answer:
    """A run's spans as the table behind its charts."""
    rows = [{column.name: span[column.name] for column in TABLE} for span in spans]
    return Answer(f"runs/{run_id[:8]}…/spans", TABLE, rows)


def without_blanks(span: Span) -> dict[str, Any]:
    """A span without the fields that say nothing."""
    return {name: value for name, value in span.items() if value not in (None, "", [], {})}
