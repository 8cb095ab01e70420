"""Runs that got new spans since they were last derived: told by one thread, taken by another."""

import threading
from collections.abc import Iterable
from typing import NamedTuple

from loopwatch_collector.write.batch import Touch


class Touches(NamedTuple):
    """Runs to derive.

    Attributes:
        runs: a run may occur more than once.
        of_events: project and run id of those to which plain events came.
    """

    runs: list[Touch]
    of_events: set[tuple[str, str]]


class TouchedRuns:
    """What waits to be derived. Every method may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting = Touches([], set())

    def add(self, runs: Iterable[Touch], of_events: Iterable[tuple[str, str]]) -> None:
        """Adds runs whose new spans are stored."""
        with self._lock:
            self._waiting.runs.extend(runs)
            self._waiting.of_events.update(of_events)

    def take(self) -> Touches:
        """Returns what waits; whoever cannot derive it adds it again."""
        with self._lock:
            taken, self._waiting = self._waiting, Touches([], set())
            return taken
