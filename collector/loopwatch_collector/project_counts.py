"""What became of each project's data since the start, for readers who may see no other project's."""

import threading
from collections import Counter
from collections.abc import Mapping
from typing import Final

SPANS: Final = "traces"


class ProjectCounts:
    """Counts by project, safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, Counter[str]] = {}
        self._rejected: dict[tuple[str, str], Counter[str]] = {}

    def add(self, project: str, **counts: int) -> None:
        """Adds to some counts of a project, by their names."""
        with self._lock:
            self._counts.setdefault(project, Counter()).update(counts)

    def reject(self, project: str, signal: str, rejected: Mapping[str, int]) -> None:
        """Adds what was not taken.

        Args:
            project: whose it was.
            signal: traces, logs or metrics.
            rejected: how many items, by reason.
        """
        with self._lock:
            self._rejected.setdefault((project, signal), Counter()).update(rejected)

    def of(self, project: str) -> Mapping[str, int]:
        """The counts of a project by name; names nothing was added to are 0."""
        with self._lock:
            return Counter(self._counts.get(project))

    def rejected(self, project: str, signal: str) -> dict[str, int]:
        """What of a project and signal was not taken, by reason."""
        with self._lock:
            return dict(self._rejected.get((project, signal), ()))
