"""Which spans of a readable request are taken: those with an identity and a believable time."""

import math
from collections import Counter
from typing import Any, Final, NamedTuple

from loopwatch import names

DAY_NS: Final = 86_400 * 10**9
_NO_TRACE: Final = b"\x00" * 16
_NO_SPAN: Final = b"\x00" * 8
# The end of the last day a Date column can hold, in 2149; a span beyond it would fail a whole insert.
_LATEST_NS: Final = 2**16 * DAY_NS - 1


# Which logs and metrics are about agents: those of the conventions and libraries that are read.
EVENT_PREFIXES: Final = ("gen_ai.", "claude_code.", "loopwatch.")
CLAUDE_CODE_SCOPE: Final = "com.anthropic.claude_code"
# Events of Claude Code that stand for a span (write/claude_code_logs.py makes it; what else a prompt has led to is kept
# with them), and what an evaluation may name instead of one.
_DESCRIBE_SPANS: Final = frozenset({"user_prompt", "api_request", "api_error", "tool_result"})
_JUDGED: Final = frozenset({names.RESPONSE_ID, names.RUN_ID})
METRIC_PREFIXES: Final = ("gen_ai.", "claude_code.", "loopwatch.", "llm.", "mcp.", "openinference.", "operation.cost")


class Window(NamedTuple):
    """The start times that are believed, ns since the epoch."""

    oldest_ns: int
    newest_ns: int


_NO_VALUE: Final = 1  # OTLP's flag for "no recorded value"

EVER: Final = Window(1, _LATEST_NS)


class Screening(NamedTuple):
    """What became of a request's items.

    Attributes:
        taken: how many stay.
        rejected: how many were taken out, by reason.
    """

    taken: int
    rejected: Counter[str]

    @property
    def reason(self) -> str:
        """One sentence for the sender."""
        return "; ".join(f"{count} with {reason}" for reason, count in sorted(self.rejected.items()))


def live_window(now_ns: int, retention_days: int) -> Window:
    """What a live sender may claim: no older than the store keeps, no further ahead than a day."""
    return Window(max(1, now_ns - retention_days * DAY_NS), min(_LATEST_NS, now_ns + DAY_NS))


def screen_spans(request: Any, window: Window) -> Screening:
    """Takes the spans out that cannot be stored.

    Args:
        request: an ExportTraceServiceRequest; changed in place.
        window: the start times that are believed.

    Returns:
        The counts.
    """
    taken = 0
    rejected: Counter[str] = Counter()
    for resource_spans in request.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            spans = scope_spans.spans
            if _are_sound(spans[:], window):
                taken += len(spans)
                continue
            faults = [(index, fault) for index, span in enumerate(spans) if (fault := _fault(span, window))]
            taken += len(spans) - len(faults)
            for index, fault in reversed(faults):
                del spans[index]
                rejected[fault] += 1
    return Screening(taken, rejected)


def _are_sound(spans: list[Any], window: Window) -> bool:
    """Whether no span has a fault; asked of all at once, because hardly any has."""
    starts_ns = [span.start_time_unix_nano for span in spans]
    traces = {span.trace_id for span in spans}
    ids = {span.span_id for span in spans}
    parents = {len(span.parent_span_id) for span in spans}
    is_in_time = window.oldest_ns <= min(starts_ns, default=0) and max(starts_ns, default=0) <= window.newest_ns
    has_sizes = set(map(len, traces)) == {16} and set(map(len, ids)) == {8} and parents <= {0, 8}
    return is_in_time and has_sizes and _NO_TRACE not in traces and _NO_SPAN not in ids


def screen_logs(request: Any, window: Window) -> Screening:
    """Takes the log records out that say nothing about a run, or whose time cannot be stored.

    Args:
        request: an ExportLogsServiceRequest; changed in place.
        window: the times that are believed.
    """
    taken = 0
    rejected: Counter[str] = Counter()
    for resource_logs in request.resource_logs:
        for scope_logs in resource_logs.scope_logs:
            records, scope = scope_logs.log_records, scope_logs.scope.name
            faults = [
                (index, fault) for index, one in enumerate(records) if (fault := _fault_of_log(one, scope, window))
            ]
            taken += len(records) - len(faults)
            for index, fault in reversed(faults):
                del records[index]
                rejected[fault] += 1
    return Screening(taken, rejected)


def screen_metrics(request: Any, window: Window) -> Screening:
    """Takes the metrics out that are not about agents, and of the others the points that cannot be stored.

    Args:
        request: an ExportMetricsServiceRequest; changed in place.
        window: the times that are believed.
    """
    taken = 0
    rejected: Counter[str] = Counter()
    for resource_metrics in request.resource_metrics:
        for scope_metrics in resource_metrics.scope_metrics:
            metrics = scope_metrics.metrics
            for index in reversed(range(len(metrics))):
                points = _points(metrics[index])
                if metrics[index].name.startswith(METRIC_PREFIXES):
                    taken += _screen_points(points, window, rejected)
                else:
                    rejected["a metric that is not about agents"] += len(points)
                    del metrics[index]
    return Screening(taken, rejected)


def _points(metric: Any) -> Any:
    kind = metric.WhichOneof("data")
    return getattr(metric, kind).data_points if kind else ()


def _screen_points(points: Any, window: Window, rejected: Counter[str]) -> int:
    faults = [(index, fault) for index, point in enumerate(points) if (fault := _fault_of_point(point, window))]
    for index, fault in reversed(faults):
        del points[index]
        rejected[fault] += 1
    return len(points)


def _fault_of_point(point: Any, window: Window) -> str:
    if not window.oldest_ns <= point.time_unix_nano <= window.newest_ns:
        return "a point's time outside the retention"
    if point.flags & _NO_VALUE or not math.isfinite(_value_of(point)):
        return "a point without a finite value"
    return ""


def _value_of(point: Any) -> float:
    if "sum" in point.DESCRIPTOR.fields_by_name:  # a histogram's or summary's
        return point.sum
    which = point.WhichOneof("value")
    return float(getattr(point, which)) if which else math.nan


def _fault_of_log(record: Any, scope: str, window: Window) -> str:
    name = record.event_name or next((p.value.string_value for p in record.attributes if p.key == "event.name"), "")
    if not name.startswith(EVENT_PREFIXES) and not (name and scope.startswith(CLAUDE_CODE_SCOPE)):
        return "a log line that is no event of an agent"
    if not window.oldest_ns <= (record.time_unix_nano or record.observed_time_unix_nano) <= window.newest_ns:
        return "a time outside the retention"
    return "" if _is_placed(record, name, scope) else "an event that names no span"


def _is_placed(record: Any, name: str, scope: str) -> bool:
    """Whether a log record names a span, describes one, or is an evaluation of a run or a response."""
    if len(record.trace_id) == 16 and len(record.span_id) == 8:
        return True
    if name == names.EVALUATION_EVENT:
        return len(record.trace_id) == 16 or any(
            pair.key in _JUDGED and pair.value.string_value for pair in record.attributes
        )
    if not (name.startswith("claude_code.") or scope.startswith(CLAUDE_CODE_SCOPE)):
        return False
    return name.removeprefix("claude_code.") in _DESCRIBE_SPANS or any(
        pair.key == "prompt.id" and pair.value.string_value for pair in record.attributes
    )


def _fault(span: Any, window: Window) -> str:
    start_ns = span.start_time_unix_nano
    if not window.oldest_ns <= start_ns <= window.newest_ns:
        return "a start time older than the retention" if start_ns < window.oldest_ns else "a start time in the future"
    trace_id, span_id = span.trace_id, span.span_id
    if len(trace_id) != 16 or trace_id == _NO_TRACE:
        return "a trace id that is not 16 bytes"
    if len(span_id) != 8 or span_id == _NO_SPAN:
        return "a span id that is not 8 bytes"
    if len(span.parent_span_id) not in {0, 8}:
        return "a parent span id that is not 8 bytes"
    return ""
