"""When each rule is due: often while data comes, seldom while none does, and never twice at once."""

import threading
from dataclasses import dataclass
from typing import Final

from loopwatch_collector.alerts.rule import Rule
from loopwatch_collector.alerts.sources import COLLECTOR

_MAX_IDLE_S: Final = 300
_WINDOW_PARTS: Final = 12
SLOW_S: Final = 1.0

Key = tuple[str, str]
"""Project and rule."""

DataVersion = tuple[int, int]


@dataclass(slots=True)
class _Entry:
    next_s: float = 0.0
    evaluated_s: float = float("-inf")
    version: DataVersion | None = None
    is_running: bool = False
    duration_s: float = 0.0


def idle_s(rule: Rule) -> float:
    """How often a rule is evaluated while no data comes: its window slides on."""
    return max(rule.every_s, min(rule.window_s / _WINDOW_PARTS, _MAX_IDLE_S))


class Schedule:
    """What is due. All times are seconds of one monotonic clock."""

    def __init__(self) -> None:
        self._entries: dict[Key, _Entry] = {}
        self._lock = threading.Lock()

    def begin(self, key: Key, rule: Rule, now_s: float, version: DataVersion, *, is_active: bool) -> bool:
        """Says whether a rule is to be evaluated now, and if so notes that it is.

        Args:
            key: project and rule.
            rule: the rule.
            now_s: the time.
            version: of the data; equal versions mean that nothing was stored in between.
            is_active: it has a pending or firing alert, whose times go on without data.
        """
        with self._lock:
            entry = self._entries.setdefault(key, _Entry())
            if entry.is_running or now_s < entry.next_s:
                return False
            is_fresh = entry.version != version or is_active or rule.query == COLLECTOR.name
            if not is_fresh and now_s < entry.evaluated_s + idle_s(rule):
                return False
            entry.is_running = True
            entry.version = version
            entry.next_s = now_s + rule.every_s
            entry.evaluated_s = now_s
            return True

    def end(self, key: Key, duration_s: float) -> None:
        """Notes that an evaluation is over and how long it took."""
        with self._lock:
            entry = self._entries[key]
            entry.is_running = False
            entry.duration_s = duration_s

    def is_slow(self, key: Key) -> bool:
        """Whether the rule's last evaluation took so long that it should not stand in others' way."""
        with self._lock:
            return self._entries[key].duration_s > SLOW_S

    def keep_only(self, keys: set[Key]) -> None:
        """Forgets rules that are gone."""
        with self._lock:
            for key in self._entries.keys() - keys:
                if not self._entries[key].is_running:
                    del self._entries[key]
