"""Rules' queries answered for ranges of time: once for all rules that ask the same, and with what still holds kept."""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import Any, Final

from loopwatch_collector.alerts.asking import Asker, Asking, Readings
from loopwatch_collector.alerts.beginning import Beginning
from loopwatch_collector.alerts.conditions import PAST_STEP_S, Group, Values
from loopwatch_collector.alerts.durations import NS
from loopwatch_collector.alerts.errors import OutOfTime
from loopwatch_collector.alerts.kept_answers import KeptAnswers
from loopwatch_collector.alerts.own_health import OwnHealth
from loopwatch_collector.alerts.ranges import Range, on_grid, window_ending
from loopwatch_collector.alerts.rule import Rule
from loopwatch_collector.alerts.shared_questions import SharedQuestions
from loopwatch_collector.alerts.sources import COLLECTOR, LOSSES, OWN
from loopwatch_collector.errors import CollectorError
from loopwatch_collector.queries.filter_sets.asking import FilterSet, ask_each, tells_ranges_apart
from loopwatch_collector.queries.runner import ONE_THREAD, Question, ask, named
from loopwatch_collector.store.client import Connection
from loopwatch_collector.store.errors import QueryTooLarge, StoreUnavailable

_LOG = logging.getLogger(__name__)
_PRESENT_S: Final = 2 * PAST_STEP_S
_GRID_NS: Final = 10 * NS  # windows that end now end on this grid, so that rules that ask the same share the answer
_KEEP_PAST_S: Final = 3_600.0  # what comes late is forgotten at once; reprices and deletions are seen after this
_KEEP_PRESENT_S: Final = 10.0
_SHARED_S: Final = 5.0  # others wait for a shared question: one that takes longer is no gain
_FAIR_S: Final = 1.0  # that a question was not answered in less says nothing about it


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
        self._kept = KeptAnswers(clock)
        self._beginning = Beginning(connection)
        self._shared = SharedQuestions(clock)
        self._lock = threading.Lock()
        self._under_way: dict[tuple[Any, ...], tuple[int, Future[None]]] = {}

    @property
    def arrived(self) -> int:
        """How many times data has come: an evaluation that begins now has to know of all that."""
        return self._kept.arrived

    def share(self, rules: Iterable[Rule]) -> None:
        """Says which rules there are: many that differ in their filters and windows are one question to the store.

        Args:
            rules: all that are evaluated.
        """
        self._shared.arrange(rules)

    def read(
        self, rule: Rule, now_ns: int, stretch: Range, until_s: float | None = None, since: int | None = None
    ) -> Mapping[Group, Values]:
        """Answers a rule's query for a range.

        Args:
            rule: whose query.
            now_ns: what now is; ranges that end well before it are kept longer.
            stretch: the range.
            until_s: when the answer must be there, by the reader's clock; None for the limit of every question.
            since: the answer knows of all data that had `arrived` by then; None for now.

        Raises:
            OutOfTime: it is later than that.
            QueryTooLarge: the answer was not there by then.
        """
        if rule.query == COLLECTOR.name:
            return self._health.read(stretch)
        if rule.query == LOSSES.name:
            return {**self._health.losses(stretch), **self._sender_losses(stretch)}
        since = self.arrived if since is None else since
        is_present = stretch.to_ns > now_ns - _GRID_NS
        if not is_present:
            stretch = self._stand_in(rule, stretch, since)
        is_window = is_present and stretch == window_ending(stretch.to_ns, rule.window_s)
        asking = Asking(rule, on_grid(stretch, _GRID_NS, moves=is_window) if is_present else stretch, until_s)
        keep_s = _KEEP_PAST_S if stretch.to_ns <= now_ns - _PRESENT_S * NS else _KEEP_PRESENT_S
        found = self._kept.find(asking.key, since)
        if found is None:
            askers = self._shared.askers(rule, of_all_windows=is_window)
            self._ask_with_others(asking, askers, keep_s, since)
            found = self._kept.find(asking.key, since)
        return self._ask_alone(asking, keep_s) if found is None else found

    def read_each(self, rule: Rule, now_ns: int, stretches: Sequence[Range]) -> dict[Range, Mapping[Group, Values]]:
        """Answers a rule's query for several ranges, those that are over in one question where the query allows it.

        Args:
            rule: whose query.
            now_ns: what now is.
            stretches: the ranges, MAX_FILTER_SETS of them at most.

        Raises:
            QueryTooLarge: one of the answers alone is too much.
        """
        if rule.query == LOSSES.name and not self._sender_losses(Range(0, max(one.to_ns for one in stretches))):
            return {one: self._health.losses(one) for one in stretches}  # no sender ever said that it dropped a span
        can_share = rule.query not in OWN and tells_ranges_apart(rule.query)
        since = self.arrived
        over = {
            one: self._stand_in(rule, one, since) for one in stretches if can_share and one.to_ns <= now_ns - _GRID_NS
        }
        asked = sorted(set(over.values()))
        answers = self._ask_for_ranges(rule, asked) if len(asked) > 1 else {}
        return {
            one: answers[over[one]] if over.get(one) in answers else self.read(rule, now_ns, one) for one in stretches
        }

    def _stand_in(self, rule: Rule, stretch: Range, since: int) -> Range:
        """What to ask instead of a range that is over."""
        return stretch if rule.query in OWN else self._beginning.stand_in(stretch, self.arrived, since)

    def forget(self, late: Sequence[Range], now_ns: int) -> None:
        """Notes that data came, which makes answers old.

        Args:
            late: stretches of the past for which some came.
            now_ns: the moment; answers about the present are old in any case.
        """
        self._kept.note_arrival([*late, Range(now_ns - _PRESENT_S * NS, now_ns + _GRID_NS)])

    def _ask_with_others(self, asking: Asking, askers: tuple[Asker, ...], keep_s: float, since: int) -> None:
        """Has one thread ask for all these askers, while the others wait for the answer.

        Where that fails nothing is kept, and each asks for itself.
        """
        place = asking.key_for_all(askers)
        with self._lock:
            asked_at, done = self._under_way.get(place, (-1, Future[None]()))
            is_mine = asked_at < since  # nobody asks, or began before data came that is to be known
            if is_mine:
                asked_at, done = self.arrived, Future[None]()
                self._under_way[place] = asked_at, done
        if not is_mine:
            _wait_for(done, asking.left_s(self._clock()))
            return
        try:
            if len(askers) > 1:
                self._ask_for_each(asking, askers, keep_s, asked_at)
            else:
                self._ask_alone(asking, keep_s)
        finally:
            with self._lock:
                if self._under_way.get(place, (0, None))[1] is done:
                    del self._under_way[place]
            done.set_result(None)

    def _ask_for_each(self, asking: Asking, askers: tuple[Asker, ...], keep_s: float, asked_at: int) -> None:
        longest = replace(asking, stretch=asking.stretch_of_all(askers))
        settings = longest.settings(self._clock())
        settings = {**settings, "max_execution_time": min(settings["max_execution_time"], _SHARED_S)}
        filter_sets = [FilterSet(dict(asker.filters), asking.stretch_of(asker).from_ns) for asker in askers]
        try:
            answers = ask_each(self._connection(), longest.question(self._project), filter_sets, settings)
        except CollectorError as fault:
            _LOG.info("rules that ask %s are answered one by one: %s", asking.rule.query, fault)
            had_time = settings["max_execution_time"] >= _FAIR_S
            if had_time and not isinstance(fault, StoreUnavailable):
                self._shared.part(asking.rule, askers)
            return
        query = named(asking.rule.query)
        keys = [asking.key_for(asker) for asker in askers]
        readings = {key: asking.readings(query, rows) for key, rows in zip(keys, answers, strict=True)}
        self._kept.keep(readings, keep_s, asked_at)

    def _ask_for_ranges(self, rule: Rule, stretches: Sequence[Range]) -> dict[Range, Readings]:
        whole = Range(min(one.from_ns for one in stretches), max(one.to_ns for one in stretches))
        asking = Asking(rule, whole, None)
        filter_sets = [FilterSet(rule.filters, *one) for one in stretches]
        try:
            answers = ask_each(
                self._connection(), asking.question(self._project), filter_sets, asking.settings(self._clock())
            )
        except QueryTooLarge:
            if len(stretches) == 1:
                raise
            half = len(stretches) // 2
            return {**self._ask_for_ranges(rule, stretches[:half]), **self._ask_for_ranges(rule, stretches[half:])}
        query = named(rule.query)
        return {one: asking.readings(query, rows) for one, rows in zip(stretches, answers, strict=True)}

    def _ask_alone(self, asking: Asking, keep_s: float) -> Readings:
        asked_at = self.arrived
        answer = ask(self._connection(), asking.question(self._project), asking.settings(self._clock()))
        readings = asking.readings(answer.query, answer.rows)
        self._kept.keep({asking.key: readings}, keep_s, asked_at)
        return readings

    def _sender_losses(self, stretch: Range) -> Readings:
        answer = ask(self._connection(), Question("sender_drops", self._project, *stretch), ONE_THREAD)
        columns = [column.name for column in answer.query.columns]
        source, dropped = columns.index("source"), columns.index("dropped_spans")
        return {str(row[source]): {"lost": float(row[dropped])} for row in answer.rows}


def _wait_for(done: "Future[None]", left_s: float | None) -> None:
    try:
        done.result(left_s)
    except TimeoutError:
        raise OutOfTime("another rule still asks the same") from None
