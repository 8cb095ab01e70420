"""Sets of whole numbers as the stretches they fill, for numbers that come nearly without gaps."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

Stretch = tuple[int, int]
"""First and last number of a stretch without gaps."""


def merged(stretches: Sequence[Stretch], numbers: Iterable[int], limit: int) -> list[Stretch]:
    """Adds numbers to a set of stretches.

    Args:
        stretches: disjoint, in order.
        numbers: in any order, again or not.
        limit: stretches to keep at most; beyond it the oldest gaps are taken for filled.

    Returns:
        Disjoint stretches in order.
    """
    found: list[Stretch] = []
    for first, last in sorted([*stretches, *((number, number) for number in set(numbers))]):
        if found and first <= found[-1][1] + 1:
            found[-1] = found[-1][0], max(found[-1][1], last)
        else:
            found.append((first, last))
    if len(found) > limit:
        joined = found[: len(found) - limit + 1]
        found = [(joined[0][0], joined[-1][1]), *found[len(found) - limit + 1 :]]
    return found


def missing(stretches: Sequence[Stretch]) -> int:
    """How many numbers lie in the gaps between stretches."""
    return sum(later[0] - earlier[1] - 1 for earlier, later in pairwise(stretches))
