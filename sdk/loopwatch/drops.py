"""Spans that were lost, counted by reason: a loss nobody can see would be worse than the loss."""

import threading
import time
from collections import Counter
from collections.abc import Mapping
from struct import pack
from typing import Any, Final

from loopwatch import names, otlp

QUEUE_FULL: Final = "queue_full"  # more spans ended than the bound on memory holds
SPOOL_FULL: Final = "spool_full"  # the oldest batch on disk gave way to a newer one
SPOOL_FAILED: Final = "spool_failed"  # the disk took no batch and the collector none either
REJECTED: Final = "rejected"  # the collector refused the batch itself, now and for ever
UNREADABLE: Final = "unreadable"  # a span could not be encoded


class Drops:
    """Counts of lost spans since the process began."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._reported: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._since = time.time_ns()

    def add(self, reason: str, spans: int) -> None:
        """Counts spans that were lost.

        Args:
            reason: one of this module's reasons.
            spans: how many.
        """
        if spans:
            with self._lock:
                self._counts[reason] += spans

    def counts(self) -> dict[str, int]:
        """Returns the counts by reason."""
        with self._lock:
            return dict(self._counts)

    def unreported(self) -> dict[str, int] | None:
        """Returns the counts if they changed since `reported` was last called with them, else None."""
        with self._lock:
            return None if self._counts == self._reported else dict(self._counts)

    def reported(self, counts: Mapping[str, int]) -> None:
        """Remembers that these counts are on their way."""
        with self._lock:
            self._reported = Counter(counts)

    def encode(self, counts: Mapping[str, int], resource: Mapping[str, Any]) -> bytes:
        """Returns an ExportMetricsServiceRequest: one cumulative, monotonic sum, a point per reason."""
        now = time.time_ns()
        points = [_point(reason, spans, self._since, now) for reason, spans in sorted(counts.items())]
        total = b"".join(points) + b"\x10\x02\x18\x01"  # aggregation_temporality cumulative, is_monotonic
        metric = otlp.field(b"\x0a", names.DROPPED_SPANS_METRIC.encode()) + otlp.field(b"\x1a", b"{span}")
        metric += otlp.field(b"\x3a", total)
        scope = otlp.field(b"\x0a", otlp.field(b"\x0a", b"loopwatch"))
        return otlp.resource_spans(resource, [otlp.field(b"\x12", scope + otlp.field(b"\x12", metric))])


def _point(reason: str, spans: int, since: int, now: int) -> bytes:
    """A NumberDataPoint as field 1 of a Sum."""
    times = b"\x11" + pack("<Q", since) + b"\x19" + pack("<Q", now)
    return otlp.field(b"\x0a", times + b"\x31" + pack("<q", spans) + otlp.attribute(b"\x3a", names.DROP_REASON, reason))
