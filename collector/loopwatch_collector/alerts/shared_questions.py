"""Which rules are answered by one question: those that differ in nothing but their filters, and their windows.

Planning a question costs more than reading an hour for it, so there should be few; but a rule that is asked together
with one of a longer window has that window read. So the rules that are looked at most often begin, and the longest
window of these takes in whoever

- asks about a window that is at most as long, and no less than a twelfth as long: a rule over five minutes does not
  have three hours read;
- is looked at as often or less often: a long window that somebody looks at every ten minutes is not read every fifteen
  seconds.

Nothing over six hours is shared with a window of another length: there reading is what costs (see store/day_rows.py).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from loopwatch_collector.alerts.asking import SMALL_S, Asker, asker_of
from loopwatch_collector.alerts.rule import Rule
from loopwatch_collector.alerts.sources import OWN
from loopwatch_collector.queries.filter_sets.asking import MAX_FILTER_SETS, can_answer_each, tells_ranges_apart

_APART_S: Final = 600.0
_MAX_TIMES_AS_LONG: Final = 12

What = tuple[Any, ...]
_Together = Mapping[tuple[What, Asker], tuple[Asker, ...]]


def question_of(rule: Rule) -> What:
    """What a rule asks, its filters left out, and its window where the query can tell those apart.

    Rules that can share an answer have it in common.
    """
    window_s = rule.window_s if rule.query in OWN or not tells_ranges_apart(rule.query) else None
    return (rule.query, tuple(sorted(rule.params.items())), rule.group_column, window_s)


class SharedQuestions:
    """Knows for each rule with whom its question is asked.

    Args:
        clock: seconds; only differences matter.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._of_a_window: _Together = {}
        self._of_all_windows: _Together = {}
        self._apart_until_s: dict[tuple[What, tuple[Asker, ...]], float] = {}

    def arrange(self, rules: Iterable[Rule]) -> None:
        """Takes note of the rules there are.

        Args:
            rules: all that are evaluated.
        """
        every_s: dict[What, dict[Asker, int]] = {}
        for rule in rules:
            if rule.query not in OWN and can_answer_each(rule.query):
                askers, asker = every_s.setdefault(question_of(rule), {}), asker_of(rule)
                askers[asker] = min(rule.every_s, askers.get(asker, rule.every_s))
        self._of_a_window = _by_asker(every_s, _with_equal_windows)
        self._of_all_windows = _by_asker(every_s, _with_windows_alike)
        now_s = self._clock()
        self._apart_until_s = {key: until_s for key, until_s in self._apart_until_s.items() if until_s > now_s}

    def askers(self, rule: Rule, *, of_all_windows: bool) -> tuple[Asker, ...]:
        """Those for whom a rule's question is asked, the rule among them.

        Args:
            rule: whose question.
            of_all_windows: it asks about its window that ends now, as others do about theirs.
        """
        question, own = question_of(rule), asker_of(rule)
        for known in (self._of_all_windows, self._of_a_window) if of_all_windows else (self._of_a_window,):
            together = known.get((question, own), (own,))
            if self._apart_until_s.get((question, together), 0.0) <= self._clock():
                return together
        return (own,)

    def part(self, rule: Rule, askers: tuple[Asker, ...]) -> None:
        """Has a question for these askers not be asked for ten minutes.

        Where they have different windows, those of one window are still asked together.
        """
        self._apart_until_s[question_of(rule), askers] = self._clock() + _APART_S


def _by_asker(
    every_s: Mapping[What, Mapping[Asker, int]], arranged: Callable[[Mapping[Asker, int]], Iterable[list[Asker]]]
) -> _Together:
    return {
        (question, asker): together
        for question, askers in every_s.items()
        for alike in arranged(askers)
        for together in _in_pieces(alike)
        for asker in together
    }


def _with_equal_windows(every_s: Mapping[Asker, int]) -> Iterable[list[Asker]]:
    by_window: dict[int, list[Asker]] = {}
    for asker in every_s:
        by_window.setdefault(asker.window_s, []).append(asker)
    return by_window.values()


def _with_windows_alike(every_s: Mapping[Asker, int]) -> Iterator[list[Asker]]:
    """Puts askers together by how often and about how long a window they ask; see above."""
    left = sorted(every_s, key=lambda asker: (every_s[asker], -asker.window_s))
    while left:
        longest_s = left[0].window_s
        yield [asker for asker in left if _can_join(asker.window_s, longest_s)]
        left = [asker for asker in left if not _can_join(asker.window_s, longest_s)]


def _can_join(window_s: int, longest_s: int) -> bool:
    is_alike = longest_s <= SMALL_S and window_s <= longest_s <= window_s * _MAX_TIMES_AS_LONG
    return window_s == longest_s or is_alike


def _in_pieces(askers: list[Asker]) -> Iterator[tuple[Asker, ...]]:
    """Cuts askers into as few questions as can be, between two windows where that makes no more of them."""
    left = sorted(askers, key=lambda asker: (asker.window_s, asker.filters))
    while len(left) > MAX_FILTER_SETS:
        to_spare = -len(left) % MAX_FILTER_SETS
        places = range(MAX_FILTER_SETS, MAX_FILTER_SETS - to_spare - 1, -1)
        cut = next((at for at in places if left[at - 1].window_s != left[at].window_s), MAX_FILTER_SETS)
        yield tuple(left[:cut])
        left = left[cut:]
    yield tuple(left)
