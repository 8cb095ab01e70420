"""The loops of the glossary, as the calls an agent caught in one makes, one an iteration.

A call is (which of two tools, which arguments, which result): equal numbers are equal things.
"""

from random import Random
from typing import Final, NamedTuple


class LoopCall(NamedTuple):
    """One call of a loop.

    Attributes:
        tool: 0 for the loop's tool, 1 for the other one of a cycle.
        arguments: equal for equal arguments.
        result: equal for equal results; -1 for an error that may pass.
        is_evident: whether the loop's rule is met from this call on.
    """

    tool: int
    arguments: int
    result: int
    is_evident: bool


KINDS: Final = ("identical_calls", "cycle", "no_progress", "retry_storm", "polling")
KIND_WEIGHTS: Final = (0.4, 0.15, 0.2, 0.15, 0.1)
_EVIDENT_AT: Final = {"identical_calls": 3, "cycle": 4, "no_progress": 3, "retry_storm": 8, "polling": 8}
_AT_MOST_MORE: Final = {"identical_calls": 4, "cycle": 0, "no_progress": 2, "retry_storm": 3, "polling": 4}


def calls(kind: str, rng: Random) -> list[LoopCall]:
    """Returns the calls of a loop, as many as make it evident and a few more.

    Args:
        kind: one of `KINDS`.
        rng: decides how many more.
    """
    evident = _EVIDENT_AT[kind]
    count = evident + rng.randint(0, _AT_MOST_MORE[kind])
    return [LoopCall(*_call(kind, number), number + 1 == evident) for number in range(count)]


def _call(kind: str, number: int) -> tuple[int, int, int]:
    if kind == "cycle":
        return number % 2, number % 2, number % 2
    if kind == "no_progress":
        return 0, number, 0
    if kind == "retry_storm":
        return 0, 0, -1
    if kind == "polling":
        return 0, 0, number
    return 0, 0, 0
