"""When each rule is due: often while data comes that concerns it, seldom while none does, and never twice at once.

A question that takes long (much came in its window, or the machine is busy) is asked less often, so that rules leave
the rest of the collector its time.
"""

import threading
from dataclasses import dataclass
from typing import Final
from zlib import crc32

from loopwatch_collector.alerts.rule import Absence, Forecast, Rule
from loopwatch_collector.alerts.shared_questions import question_of
from loopwatch_collector.alerts.sources import OWN

_MAX_IDLE_S: Final = 300
_WINDOW_PARTS: Final = 12
# Fifteen times what an evaluation took passes before the next one: what takes less than a second is still looked at
# every quarter of a minute, and what takes longer has a sixteenth of a thread's time. No rule is looked at more than
# four times less often than it says.
_PAUSES_PER_EVALUATION: Final = 15
_MAX_PAUSED_TURNS: Final = 3

Key = tuple[str, str]
"""Project and rule."""


@dataclass(slots=True)
class _Entry:
    rule: Rule | None = None
    next_s: float = 0.0
    evaluated_s: float = float("-inf")
    has_news: bool = True
    found_nothing: bool = False
    is_running: bool = False
    is_slow: bool = False


def idle_s(rule: Rule) -> float:
    """How often a rule is evaluated while no data comes: its window slides on."""
    return max(rule.every_s, min(rule.window_s / _WINDOW_PARTS, _MAX_IDLE_S))


def _next_s(rule: Rule, now_s: float) -> float:
    """The rule's first moment after that: rules that ask the same have the same ones, so that they share the answer."""
    phase = crc32(repr(question_of(rule)).encode()) % rule.every_s
    return ((now_s - phase) // rule.every_s + 1) * rule.every_s + phase


class Schedule:
    """What is due. All times are seconds of one monotonic clock."""

    def __init__(self) -> None:
        self._entries: dict[Key, _Entry] = {}
        self._lock = threading.Lock()

    def note_news(self, key: Key) -> None:
        """Notes that data came which concerns a rule."""
        with self._lock:
            self._entries.setdefault(key, _Entry()).has_news = True

    def begin(self, key: Key, rule: Rule, now_s: float, *, is_active: bool) -> bool:
        """Says whether a rule is to be evaluated now, and if so notes that it is.

        Args:
            key: project and rule.
            rule: the rule.
            now_s: the time.
            is_active: it has a pending or firing alert, whose times go on without data.
        """
        with self._lock:
            entry = self._entries.setdefault(key, _Entry())
            if entry.is_running:
                return False
            if entry.rule is not rule and entry.rule != rule:  # a changed rule says something else of the same data
                entry.next_s, entry.has_news = 0.0, True
            entry.rule = rule
            if now_s < entry.next_s:
                return False
            if not (entry.has_news or is_active or rule.query in OWN or self._has_slid(entry, rule, now_s)):
                return False
            entry.is_running, entry.has_news = True, False
            entry.next_s, entry.evaluated_s = _next_s(rule, now_s), now_s
            return True

    @staticmethod
    def _has_slid(entry: _Entry, rule: Rule, now_s: float) -> bool:
        """Whether the window has moved on far enough to look again; a part of nothing is nothing, and not asked for."""
        if entry.found_nothing and not isinstance(rule.condition, Absence | Forecast):
            return False
        return now_s >= entry.evaluated_s + idle_s(rule)

    def end(self, key: Key, *, found_nothing: bool = False, duration_s: float = 0.0) -> None:
        """Notes that an evaluation is over.

        Args:
            key: project and rule.
            found_nothing: no group had anything in the window.
            duration_s: how long it took; what takes long is done less often.
        """
        with self._lock:
            entry = self._entries[key]
            entry.is_running = False
            entry.found_nothing = found_nothing
            rule = entry.rule
            if rule is not None:
                pause_s = min(_PAUSES_PER_EVALUATION * duration_s, _MAX_PAUSED_TURNS * rule.every_s)
                entry.next_s = max(entry.next_s, _next_s(rule, entry.evaluated_s + pause_s))

    def set_slow(self, key: Key, *, is_slow: bool) -> None:
        """Notes that an evaluation ran out of time, or that it would be quick enough again."""
        with self._lock:
            self._entries[key].is_slow = is_slow

    def is_slow(self, key: Key) -> bool:
        """Whether the rule has to be evaluated where it is in nobody's way."""
        with self._lock:
            return self._entries[key].is_slow

    def keep_only(self, keys: set[Key]) -> None:
        """Forgets rules that are gone."""
        with self._lock:
            for key in self._entries.keys() - keys:
                if not self._entries[key].is_running:
                    del self._entries[key]
