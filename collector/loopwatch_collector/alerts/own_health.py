"""The collector's own counters over time, so that rules can look at them like at a query."""

import threading
from collections import deque
from collections.abc import Sequence
from typing import Final, NamedTuple

from loopwatch_collector.alerts.conditions import Group, Values
from loopwatch_collector.alerts.ranges import Range
from loopwatch_collector.metrics import Metrics

_KEPT_SAMPLES: Final = 20_000


class Sample(NamedTuple):
    """The counters at one moment."""

    at_ns: int
    lag_seconds: float
    rejected_spans: float
    dead_letters: float


class OwnHealth:
    """Samples of the collector's metrics; the oldest go when there are too many.

    Args:
        metrics: the collector's.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._samples: deque[Sample] = deque(maxlen=_KEPT_SAMPLES)
        self._lock = threading.Lock()

    def sample(self, now_ns: int) -> None:
        """Notes the counters as they are now."""
        totals: dict[str, float] = {}
        for family in (self._metrics.lag_seconds, self._metrics.rejected_spans, self._metrics.dead_letters):
            for metric in family.collect():
                for sample in metric.samples:
                    if not sample.name.endswith("_created"):
                        totals[metric.name] = totals.get(metric.name, 0.0) + sample.value
        entry = Sample(
            now_ns,
            totals.get("loopwatch_lag_seconds", 0.0),
            totals.get("loopwatch_rejected_spans", 0.0),
            totals.get("loopwatch_dead_letters", 0.0),
        )
        with self._lock:
            self._samples.append(entry)

    def read(self, stretch: Range) -> dict[Group, Values]:
        """Answers for a range: the largest lag, and by how much the counters grew."""
        samples = self._samples_in(stretch)
        if not samples:
            return {}
        lag = max(one.lag_seconds for one in samples)
        rejected, letters = _growth(samples)
        return {"": {"lag_seconds": lag, "rejected_spans": rejected, "dead_letters": letters}}

    def losses(self, stretch: Range) -> dict[Group, Values]:
        """Answers what this collector lost in a range, by how; nothing for what it did not."""
        samples = self._samples_in(stretch)
        rejected, letters = _growth(samples) if samples else (0.0, 0.0)
        found = {"the collector refused spans": rejected, "the collector set records aside": letters}
        return {how: {"lost": count} for how, count in found.items() if count}

    def _samples_in(self, stretch: Range) -> list[Sample]:
        with self._lock:
            return [one for one in self._samples if stretch.from_ns <= one.at_ns <= stretch.to_ns]


def _growth(samples: Sequence[Sample]) -> tuple[float, float]:
    first, last = samples[0], samples[-1]
    return last.rejected_spans - first.rejected_spans, last.dead_letters - first.dead_letters
