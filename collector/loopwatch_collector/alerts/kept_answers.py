"""Answers that rules have got, for as long as they hold."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from loopwatch_collector.alerts.asking import Readings
from loopwatch_collector.alerts.ranges import Range

_MAX_KEPT: Final = 20_000


@dataclass(slots=True)
class _Kept:
    """An answer.

    Attributes:
        expires_s: by the clock.
        readings: the answer.
        asked_at: how many times data had come when it was asked for.
        is_old: data has come since that it may lack; it still holds for who began before that.
    """

    expires_s: float
    readings: Readings
    asked_at: int
    is_old: bool


class KeptAnswers:
    """Answers by question; the last part of a question's key is its range.

    Args:
        clock: seconds; only differences matter.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._arrived = 0
        self._kept: OrderedDict[tuple[Any, ...], _Kept] = OrderedDict()

    @property
    def arrived(self) -> int:
        """How many times data has come."""
        return self._arrived

    def find(self, key: tuple[Any, ...], since: int) -> Readings | None:
        """Looks for an answer.

        Args:
            key: of the question.
            since: the answer must know of all that had `arrived` by then.
        """
        with self._lock:
            kept = self._kept.get(key)
            if kept is None or kept.expires_s <= self._clock() or (kept.is_old and kept.asked_at < since):
                return None
            return kept.readings

    def keep(self, answers: Mapping[tuple[Any, ...], Readings], keep_s: float, asked_at: int) -> None:
        """Keeps answers.

        Args:
            answers: by key.
            keep_s: for how long.
            asked_at: what had `arrived` before they were asked for.
        """
        with self._lock:
            is_old = asked_at != self._arrived  # data came while they were asked, which they may have missed
            for key, readings in answers.items():
                self._kept[key] = _Kept(self._clock() + keep_s, readings, asked_at, is_old)
                self._kept.move_to_end(key)
            self._forget_expired()

    def note_arrival(self, stretches: Sequence[Range]) -> None:
        """Notes that data came.

        Args:
            stretches: for which times; answers about others still hold.
        """
        with self._lock:
            self._arrived += 1
            for key, kept in self._kept.items():
                asked: Range = key[-1]
                if any(asked.from_ns < stretch.to_ns and stretch.from_ns < asked.to_ns for stretch in stretches):
                    kept.is_old = True

    def _forget_expired(self) -> None:
        """Drops what has run out at the old end; the bound holds whatever has not."""
        while self._kept:
            kept = next(iter(self._kept.values()))
            if kept.expires_s > self._clock() and len(self._kept) <= _MAX_KEPT:
                return
            self._kept.popitem(last=False)
