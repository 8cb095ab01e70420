"""Rules' queries answered for ranges of time, with what does not change kept."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from loopwatch_collector.alerts.conditions import PAST_STEP_S, Group, Values
from loopwatch_collector.alerts.durations import NS
from loopwatch_collector.alerts.own_health import OwnHealth
from loopwatch_collector.alerts.ranges import Range
from loopwatch_collector.alerts.rule import Rule
from loopwatch_collector.alerts.sources import COLLECTOR
from loopwatch_collector.queries.runner import MAX_LIMIT, Question, ask
from loopwatch_collector.store.client import Connection

Readings = dict[Group, dict[str, float | None]]

_PRESENT_S: Final = 2 * PAST_STEP_S
_KEEP_PAST_S: Final = 600.0  # data may come late, so even the past is asked again now and then
_KEEP_PRESENT_S: Final = 2.0  # rules that ask the same within one round share the answer
_MAX_KEPT: Final = 20_000


class RuleReader:
    """Answers the queries of one project's rules.

    Args:
        connection: gives this thread's connection.
        project: whose data.
        health: the collector's own counters.
        clock: seconds; only differences matter.
    """

    def __init__(
        self,
        connection: Callable[[], Connection],
        project: str,
        health: OwnHealth,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connection = connection
        self._project = project
        self._health = health
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[Any, ...], tuple[float, Readings]] = OrderedDict()

    def read(self, rule: Rule, now_ns: int, stretch: Range) -> Mapping[Group, Values]:
        """Answers a rule's query for a range.

        Args:
            rule: whose query.
            now_ns: what now is; ranges that end well before it are kept longer.
            stretch: the range.
        """
        if rule.query == COLLECTOR.name:
            return self._health.read(stretch)
        key = _question_of(rule, stretch)
        with self._lock:
            kept = self._kept.get(key)
        if kept is not None and kept[0] > self._clock():
            return kept[1]
        readings = self._ask(rule, stretch)
        is_past = stretch.to_ns <= now_ns - _PRESENT_S * NS
        with self._lock:
            self._kept[key] = (self._clock() + (_KEEP_PAST_S if is_past else _KEEP_PRESENT_S), readings)
            self._kept.move_to_end(key)
            self._forget_expired()
        return readings

    def forget(self, stretches: Iterable[Range]) -> None:
        """Drops answers about stretches of time for which data came late."""
        late = list(stretches)
        with self._lock:
            for key in list(self._kept):
                asked: Range = key[-1]
                if any(asked.from_ns < stretch.to_ns and stretch.from_ns < asked.to_ns for stretch in late):
                    del self._kept[key]

    def _forget_expired(self) -> None:
        """Drops what has run out at the old end; the bound holds whatever has not."""
        while self._kept:
            expires, _ = next(iter(self._kept.values()))
            if expires > self._clock() and len(self._kept) <= _MAX_KEPT:
                return
            self._kept.popitem(last=False)

    def _ask(self, rule: Rule, stretch: Range) -> Readings:
        question = Question(
            rule.query,
            self._project,
            stretch.from_ns,
            stretch.to_ns,
            rule.params,
            rule.filters,
            limit=MAX_LIMIT,
        )
        answer = ask(self._connection(), question)
        names = [column.name for column in answer.query.columns]
        numbers = [place for place, column in enumerate(answer.query.columns) if column.unit not in {"text", "time"}]
        group_place = names.index(rule.group_column) if rule.group_column else None
        return {
            "" if group_place is None else str(row[group_place]): {
                names[place]: None if row[place] is None else float(row[place]) for place in numbers
            }
            for row in answer.rows
        }


def _question_of(rule: Rule, stretch: Range) -> tuple[Any, ...]:
    filters = tuple(sorted((name, *values) for name, values in rule.filters.items()))
    return (rule.query, tuple(sorted(rule.params.items())), filters, rule.group_column, stretch)
