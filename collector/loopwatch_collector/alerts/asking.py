"""What a rule asks the store about a range of time, and what its rows say by group."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from loopwatch_collector.alerts.conditions import Group
from loopwatch_collector.alerts.errors import ManyRowsOfAGroup, OutOfTime
from loopwatch_collector.alerts.ranges import Range, window_ending
from loopwatch_collector.alerts.rule import Rule
from loopwatch_collector.queries.catalogue import NamedQuery
from loopwatch_collector.queries.runner import MAX_LIMIT, ONE_THREAD, READ_SETTINGS, Question

Readings = dict[Group, dict[str, float | None]]
Filters = tuple[tuple[str, tuple[str, ...]], ...]
"""A rule's filters in one order, so that equal ones are equal."""

SMALL_S: Final = 6 * 3_600
"""A question about so short a time is small."""


class Asker(NamedTuple):
    """What tells rules apart that can be answered together: their filters, and the seconds of their windows."""

    filters: Filters
    window_s: int


def asker_of(rule: Rule) -> Asker:
    """A rule among those it can be answered with."""
    return Asker(tuple(sorted((name, tuple(values)) for name, values in rule.filters.items())), rule.window_s)


@dataclass(frozen=True, slots=True)
class Asking:
    """A rule's question about a range.

    Attributes:
        rule: whose query, parameters and group.
        stretch: the range.
        until_s: when the answer must be there, by the reader's clock; None for the limit of every question.
    """

    rule: Rule
    stretch: Range
    until_s: float | None

    @property
    def key(self) -> tuple[Any, ...]:
        """Equal for what has the same answer."""
        return self.key_for(asker_of(self.rule))

    def key_for(self, asker: Asker) -> tuple[Any, ...]:
        """The key of the same question as another asks it."""
        return (*self._what, asker.filters, self.stretch_of(asker))

    def key_for_all(self, askers: tuple[Asker, ...]) -> tuple[Any, ...]:
        """The key of the one question for all of them."""
        return (*self._what, askers, self.stretch_of_all(askers))

    def stretch_of(self, asker: Asker) -> Range:
        """The range another asks about: the same where its window is, and otherwise its window that ends then."""
        if asker.window_s == self.rule.window_s:
            return self.stretch
        return window_ending(self.stretch.to_ns, asker.window_s)

    def stretch_of_all(self, askers: Iterable[Asker]) -> Range:
        """The longest of their ranges."""
        return min(self.stretch_of(asker) for asker in askers)

    @property
    def _what(self) -> tuple[Any, ...]:
        return (self.rule.query, tuple(sorted(self.rule.params.items())), self.rule.group_column)

    def question(self, project: str) -> Question:
        """The question as the store is asked."""
        rule = self.rule
        return Question(rule.query, project, *self.stretch, rule.params, rule.filters, limit=MAX_LIMIT)

    def left_s(self, now_s: float) -> float | None:
        """The seconds left; None for no such bound.

        Raises:
            OutOfTime: there are none.
        """
        if self.until_s is None:
            return None
        if self.until_s <= now_s:
            raise OutOfTime(f"rule {self.rule.name} asks more than can be answered in its time")
        return self.until_s - now_s

    def settings(self, now_s: float) -> Mapping[str, Any]:
        """The engine's settings for it.

        Raises:
            OutOfTime: no time is left for it.
        """
        settings: Mapping[str, Any] = ONE_THREAD if self.stretch.seconds <= SMALL_S else READ_SETTINGS
        left_s = self.left_s(now_s)
        return settings if left_s is None else {**settings, "max_execution_time": left_s}

    def readings(self, query: NamedQuery, rows: Iterable[Sequence[Any]]) -> Readings:
        """The numbers of each group.

        Args:
            query: what was asked.
            rows: its answer.

        Raises:
            ManyRowsOfAGroup: a group has several of them.
        """
        names = [column.name for column in query.columns]
        numbers = [place for place, column in enumerate(query.columns) if column.unit not in {"text", "time"}]
        group_place = names.index(self.rule.group_column) if self.rule.group_column else None
        found: Readings = {}
        for row in rows:
            group = "" if group_place is None else str(row[group_place])
            if group in found:
                of = f" for {self.rule.group_by} '{group}'" if self.rule.group_by else ""
                raise ManyRowsOfAGroup(
                    f"query {query.name} answers several rows{of}: it tells more apart than the rule"
                )
            found[group] = {names[place]: None if row[place] is None else float(row[place]) for place in numbers}
        return found
