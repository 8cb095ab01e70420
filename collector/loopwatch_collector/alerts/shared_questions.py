"""Which rules are answered by one question: those that differ in nothing but their filters."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from loopwatch_collector.alerts.asking import Filters, filters_of
from loopwatch_collector.alerts.rule import Rule
from loopwatch_collector.alerts.sources import OWN
from loopwatch_collector.queries.filter_sets.asking import MAX_FILTER_SETS, can_answer_each

_APART_S: Final = 600.0


def question_of(rule: Rule) -> tuple[Any, ...]:
    """What a rule asks, its filters left out: equal for rules that can share the answer."""
    return (rule.query, tuple(sorted(rule.params.items())), rule.group_column, rule.window_s)


class SharedQuestions:
    """Knows for each rule with which sets of filters its question is asked.

    Args:
        clock: seconds; only differences matter.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._together: dict[tuple[Any, ...], tuple[Filters, ...]] = {}
        self._apart_until_s: dict[tuple[Any, ...], float] = {}

    def arrange(self, rules: Iterable[Rule]) -> None:
        """Takes note of the rules there are.

        Args:
            rules: all that are evaluated.
        """
        filters_by_question: dict[tuple[Any, ...], set[Filters]] = {}
        for rule in rules:
            if rule.query not in OWN and can_answer_each(rule.query):
                filters_by_question.setdefault(question_of(rule), set()).add(filters_of(rule))
        self._together = {
            (question, filters): together
            for question, known in filters_by_question.items()
            for together in _in_pieces(sorted(known))
            for filters in together
        }

    def filter_sets(self, rule: Rule) -> tuple[Filters, ...]:
        """The sets of filters to ask a rule's question with, its own among them."""
        question, own = question_of(rule), filters_of(rule)
        if self._apart_until_s.get(question, 0.0) > self._clock():
            return (own,)
        return self._together.get((question, own), (own,))

    def part(self, rule: Rule) -> None:
        """Has the rules that share a rule's question ask each for itself, for ten minutes."""
        self._apart_until_s[question_of(rule)] = self._clock() + _APART_S


def _in_pieces(filter_sets: list[Filters]) -> Iterator[tuple[Filters, ...]]:
    for start in range(0, len(filter_sets), MAX_FILTER_SETS):
        yield tuple(filter_sets[start : start + MAX_FILTER_SETS])
