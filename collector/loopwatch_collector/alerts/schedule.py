"""When each rule is due: often while data comes that concerns it, seldom while none does, and never twice at once.

A question that takes long (much came in its window, or the machine is busy) is asked less often, so that rules leave
the rest of the collector its time.
"""

import math
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
# every quarter of a minute. But every other turn is taken, so that a busy machine tells of a crossing in half a minute.
_PAUSES_PER_EVALUATION: Final = 15
_MAX_PAUSED_TURNS: Final = 1
# Of the last half minute or so rules may be at work for this share: where it is more, each takes every other turn. What
# a slow rule does in its own lane is its own affair, and makes no other wait.
_MOST_SHARE: Final = 0.2
_HALF_LIFE_S: Final = 30.0

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
    is_counted: bool = False


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
        self._running = 0  # without the slow ones
        self._busy_s = 0.0  # while some were running, longer ago counting less
        self._counted_until_s = float("-inf")

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
            if not entry.is_slow:
                self._count(now_s)
                self._running += 1
                entry.is_counted = True
            entry.next_s, entry.evaluated_s = _next_s(rule, now_s), now_s
            return True

    @staticmethod
    def _has_slid(entry: _Entry, rule: Rule, now_s: float) -> bool:
        """Whether the window has moved on far enough to look again; a part of nothing is nothing, and not asked for."""
        if entry.found_nothing and not isinstance(rule.condition, Absence | Forecast):
            return False
        return now_s >= entry.evaluated_s + idle_s(rule)

    def end(
        self, key: Key, *, found_nothing: bool = False, duration_s: float = 0.0, now_s: float | None = None
    ) -> None:
        """Notes that an evaluation is over.

        Args:
            key: project and rule.
            found_nothing: no group had anything in the window.
            duration_s: how long it took; what takes long is done less often.
            now_s: the time; None where it began at once and is known by what it took.
        """
        with self._lock:
            entry = self._entries[key]
            entry.is_running = False
            if entry.is_counted:
                self._count(entry.evaluated_s + duration_s if now_s is None else now_s)
                self._running -= 1
                entry.is_counted = False
            entry.found_nothing = found_nothing
            rule = entry.rule
            if rule is not None:
                most_s = _MAX_PAUSED_TURNS * rule.every_s
                is_too_much = not entry.is_slow and self._is_too_much()
                pause_s = most_s if is_too_much else min(_PAUSES_PER_EVALUATION * duration_s, most_s)
                entry.next_s = max(entry.next_s, _next_s(rule, entry.evaluated_s + pause_s))

    def _count(self, now_s: float) -> None:
        """Brings the time in which rules were at work up to now."""
        passed_s = max(now_s - self._counted_until_s, 0.0)
        self._busy_s = self._busy_s * 0.5 ** (passed_s / _HALF_LIFE_S) + (passed_s if self._running else 0.0)
        self._counted_until_s = max(now_s, self._counted_until_s)

    def _is_too_much(self) -> bool:
        # at a steady share the sum is that share of the half life over the logarithm of two
        return self._busy_s > _MOST_SHARE * _HALF_LIFE_S / math.log(2)

    def set_slow(self, key: Key, *, is_slow: bool) -> None:
        """Notes that an evaluation ran out of time, or that it would be quick enough again."""
        with self._lock:
            entry = self._entries[key]
            entry.is_slow = is_slow
            if is_slow and entry.is_counted:  # it goes on in its own lane
                self._running -= 1
                entry.is_counted = False

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
