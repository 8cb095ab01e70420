"""What a rule asks the store about a range of time, and what its rows say by group."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from loopwatch_collector.alerts.conditions import Group
from loopwatch_collector.alerts.errors import OutOfTime
from loopwatch_collector.alerts.ranges import Range
from loopwatch_collector.alerts.rule import Rule
from loopwatch_collector.queries.catalogue import NamedQuery
from loopwatch_collector.queries.runner import MAX_LIMIT, READ_SETTINGS, Question

Readings = dict[Group, dict[str, float | None]]
Filters = tuple[tuple[str, tuple[str, ...]], ...]
"""A rule's filters in one order, so that equal ones are equal."""

_SMALL_S: Final = 6 * 3_600
# One thread: a question about so short a time is small, and most of it is planning.
SMALL_SETTINGS: Final = {**READ_SETTINGS, "max_threads": 1}


def filters_of(rule: Rule) -> Filters:
    """A rule's filters as part of a key."""
    return tuple(sorted((name, tuple(values)) for name, values in rule.filters.items()))


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
        return self.key_for(filters_of(self.rule))

    def key_for(self, filters: Filters | tuple[Filters, ...]) -> tuple[Any, ...]:
        """The key of the same question with other filters, or with several sets of them."""
        params = tuple(sorted(self.rule.params.items()))
        return (self.rule.query, params, filters, self.rule.group_column, self.stretch)

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
        settings: Mapping[str, Any] = SMALL_SETTINGS if self.stretch.seconds <= _SMALL_S else READ_SETTINGS
        left_s = self.left_s(now_s)
        return settings if left_s is None else {**settings, "max_execution_time": left_s}

    def readings(self, query: NamedQuery, rows: Iterable[Sequence[Any]]) -> Readings:
        """The numbers of each group.

        Args:
            query: what was asked.
            rows: its answer.
        """
        names = [column.name for column in query.columns]
        numbers = [place for place, column in enumerate(query.columns) if column.unit not in {"text", "time"}]
        group_place = names.index(self.rule.group_column) if self.rule.group_column else None
        return {
            "" if group_place is None else str(row[group_place]): {
                names[place]: None if row[place] is None else float(row[place]) for place in numbers
            }
            for row in rows
        }
