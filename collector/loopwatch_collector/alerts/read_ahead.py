"""What judging a rule at many moments reads, asked for in few questions: many ranges in each, side by side."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final

from loopwatch_collector.alerts.conditions import Group, Values, judge
from loopwatch_collector.alerts.ranges import Range
from loopwatch_collector.alerts.rule import Rule
from loopwatch_collector.queries.filter_sets.asking import MAX_FILTER_SETS

Answers = Mapping[Range, Mapping[Group, Values]]
ReadEach = Callable[[list[Range]], Answers]
"""Answers a rule's query for several ranges."""

# A question reads what lies between its ranges too: at most so many times what they would be read one by one.
_MAX_TIMES_READ: Final = 3


def read_ahead(
    rule: Rule, moments: Iterable[int], read_each: ReadEach, side_by_side: Callable[..., Iterable[Answers]] = map
) -> dict[Range, Mapping[Group, Values]]:
    """Reads all that judging a rule at these moments will read.

    What that is, judging tells by reading. It is done with what is known so far, nothing where that is missing, and
    again once that is there: which past a baseline needs is known only with what it is held against.

    Args:
        rule: the rule.
        moments: ns since the epoch.
        read_each: answers the rule's query for a piece of the ranges.
        side_by_side: has several pieces read, as `map` does, or in threads.

    Returns:
        The answers by range.
    """
    known: dict[Range, Mapping[Group, Values]] = {}
    waiting = list(moments)
    while waiting:
        missing_at = {now_ns: _missing(rule, now_ns, known) for now_ns in waiting}
        waiting = [now_ns for now_ns, missing in missing_at.items() if missing]
        pieces = in_pieces({stretch for missing in missing_at.values() for stretch in missing})
        for answers in side_by_side(read_each, pieces):
            known.update(answers)
    return known


def _missing(rule: Rule, now_ns: int, known: Answers) -> list[Range]:
    """The ranges that judging a rule reads and that are not known."""
    missing: list[Range] = []

    def read(stretch: Range) -> Mapping[Group, Values]:
        if stretch not in known:
            missing.append(stretch)
        return known.get(stretch, {})

    judge(rule, now_ns, read)
    return missing


def in_pieces(stretches: Collection[Range]) -> list[list[Range]]:
    """Puts ranges together that one question is to answer: those beside or over each other.

    Args:
        stretches: each once.
    """
    pieces: list[list[Range]] = []
    for one in sorted(stretches):
        if pieces and len(pieces[-1]) < MAX_FILTER_SETS and _is_dense([*pieces[-1], one]):
            pieces[-1].append(one)
        else:
            pieces.append([one])
    return pieces


def _is_dense(piece: list[Range]) -> bool:
    whole = Range(piece[0].from_ns, max(one.to_ns for one in piece))
    return whole.seconds <= _MAX_TIMES_READ * sum(one.seconds for one in piece)
