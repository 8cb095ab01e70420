"""Rules' queries answered for ranges of time, with what does not change kept."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from loopwatch_collector.alerts.conditions import PAST_STEP_S, Group, Values
from loopwatch_collector.alerts.durations import NS
from loopwatch_collector.alerts.errors import OutOfTime
from loopwatch_collector.alerts.own_health import OwnHealth
from loopwatch_collector.alerts.ranges import Range
from loopwatch_collector.alerts.rule import Rule
from loopwatch_collector.alerts.sources import COLLECTOR, LOSSES
from loopwatch_collector.queries.runner import MAX_LIMIT, READ_SETTINGS, Question, ask
from loopwatch_collector.store.client import Connection

Readings = dict[Group, dict[str, float | None]]

_PRESENT_S: Final = 2 * PAST_STEP_S
_GRID_NS: Final = 10 * NS  # windows that end now end on this grid, so that rules that ask the same share the answer
_KEEP_PAST_S: Final = 3_600.0  # what comes late is forgotten at once; reprices and deletions are seen after this
_KEEP_PRESENT_S: Final = 10.0
_MAX_KEPT: Final = 20_000
_SMALL_S: Final = 6 * 3_600
# One thread: a question about so short a time is small, and most of it is planning.
_SETTINGS: Final = {**READ_SETTINGS, "max_threads": 1}


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
        self._forgotten = 0
        self._kept: OrderedDict[tuple[Any, ...], tuple[float, Readings]] = OrderedDict()

    def read(self, rule: Rule, now_ns: int, stretch: Range, until_s: float | None = None) -> Mapping[Group, Values]:
        """Answers a rule's query for a range.

        Args:
            rule: whose query.
            now_ns: what now is; ranges that end well before it are kept longer.
            stretch: the range.
            until_s: when the answer must be there, by the reader's clock; None for the limit of every question.

        Raises:
            OutOfTime: it is later than that.
            QueryTooLarge: the answer was not there by then.
        """
        if rule.query == COLLECTOR.name:
            return self._health.read(stretch)
        if rule.query == LOSSES.name:
            return {**self._health.losses(stretch), **self._sender_losses(stretch)}
        if stretch.to_ns > now_ns - _GRID_NS:
            stretch = _on_grid(stretch)
        key = _question_of(rule, stretch)
        with self._lock:
            kept = self._kept.get(key)
            forgotten = self._forgotten
        if kept is not None and kept[0] > self._clock():
            return kept[1]
        readings = self._ask(rule, stretch, until_s)
        is_past = stretch.to_ns <= now_ns - _PRESENT_S * NS
        with self._lock:
            if forgotten != self._forgotten:
                return readings  # data came while it was asked, which it may have missed
            self._kept[key] = (self._clock() + (_KEEP_PAST_S if is_past else _KEEP_PRESENT_S), readings)
            self._kept.move_to_end(key)
            self._forget_expired()
        return readings

    def forget(self, late: Sequence[Range], now_ns: int) -> None:
        """Drops answers that data which came made old.

        Args:
            late: stretches of the past for which some came.
            now_ns: the moment; answers about the present are old in any case.
        """
        late = [*late, Range(now_ns - _PRESENT_S * NS, now_ns + _GRID_NS)]
        with self._lock:
            self._forgotten += 1
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

    def _sender_losses(self, stretch: Range) -> Readings:
        answer = ask(self._connection(), Question("sender_drops", self._project, *stretch), _SETTINGS)
        columns = [column.name for column in answer.query.columns]
        source, dropped = columns.index("source"), columns.index("dropped_spans")
        return {str(row[source]): {"lost": float(row[dropped])} for row in answer.rows}

    def _ask(self, rule: Rule, stretch: Range, until_s: float | None) -> Readings:
        settings: Mapping[str, Any] = _SETTINGS if stretch.seconds <= _SMALL_S else READ_SETTINGS
        if until_s is not None:
            left_s = until_s - self._clock()
            if left_s <= 0:
                raise OutOfTime(f"rule {rule.name} asks more than can be answered in its time")
            settings = {**settings, "max_execution_time": left_s}
        question = Question(
            rule.query,
            self._project,
            stretch.from_ns,
            stretch.to_ns,
            rule.params,
            rule.filters,
            limit=MAX_LIMIT,
        )
        answer = ask(self._connection(), question, settings)
        names = [column.name for column in answer.query.columns]
        numbers = [place for place, column in enumerate(answer.query.columns) if column.unit not in {"text", "time"}]
        group_place = names.index(rule.group_column) if rule.group_column else None
        return {
            "" if group_place is None else str(row[group_place]): {
                names[place]: None if row[place] is None else float(row[place]) for place in numbers
            }
            for row in answer.rows
        }


def _on_grid(stretch: Range) -> Range:
    """Moves a range that ends now to the next step of the grid: what is not over yet is empty."""
    ahead_ns = -stretch.to_ns % _GRID_NS
    return Range(stretch.from_ns + ahead_ns, stretch.to_ns + ahead_ns)


def _question_of(rule: Rule, stretch: Range) -> tuple[Any, ...]:
    filters = tuple(sorted((name, *values) for name, values in rule.filters.items()))
    return (rule.query, tuple(sorted(rule.params.items())), filters, rule.group_column, stretch)
