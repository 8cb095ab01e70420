"""Which spans of a readable request are taken: those with an identity and a believable time."""

from collections import Counter
from typing import Any, Final, NamedTuple

DAY_NS: Final = 86_400 * 10**9
_NO_TRACE: Final = b"\x00" * 16
_NO_SPAN: Final = b"\x00" * 8
# What DateTime64(9) can hold; a span beyond it would fail a whole insert.
_LATEST_NS: Final = 2**63 - 1


class Window(NamedTuple):
    """The start times that are believed, ns since the epoch."""

    oldest_ns: int
    newest_ns: int


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
            faults = [(index, fault) for index, span in enumerate(spans) if (fault := _fault(span, window))]
            taken += len(spans) - len(faults)
            for index, fault in reversed(faults):
                del spans[index]
                rejected[fault] += 1
    return Screening(taken, rejected)


def _fault(span: Any, window: Window) -> str:
    start_ns = span.start_time_unix_nano
    if not window.oldest_ns <= start_ns <= window.newest_ns:
        return "a start time older than the retention" if start_ns < window.oldest_ns else "a start time in the future"
    if len(span.trace_id) != 16 or span.trace_id == _NO_TRACE:
        return "a trace id that is not 16 bytes"
    if len(span.span_id) != 8 or span.span_id == _NO_SPAN:
        return "a span id that is not 8 bytes"
    if len(span.parent_span_id) not in {0, 8}:
        return "a parent span id that is not 8 bytes"
    return ""
