"""What a run's spans say: where it failed, where it gave up, what each iteration took."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

Span = Mapping[str, Any]
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


def gave_up(spans: Sequence[Span]) -> Span | None:
    """The last call before the run handed over to a human; None where it did not, or called nothing before."""
    moments = [
        event["offset_ns"]
        for span in spans
        for event in span["events"]
        if event["name"].rpartition(".")[2] == "escalation"
    ]
    until = min(moments, default=None)
    calls = [span for span in spans if span["kind"] in CALLS and (until is None or span["offset_ns"] <= until)]
    return max(calls, key=lambda span: span["offset_ns"], default=None)


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
