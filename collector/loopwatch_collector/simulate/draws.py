"""Random draws that are cheap enough to make millions of times."""

from collections.abc import Callable
from math import exp
from random import Random
from statistics import NormalDist
from typing import Final

_STEPS: Final = 2048


def lognormal(sigma: float) -> tuple[float, ...]:
    """Returns the quantiles of the log-normal distribution of median 1: one of them at random is a draw from it.

    Its tails end at the quantiles 1/4096 and 4095/4096.
    """
    normal = NormalDist()
    return tuple(exp(sigma * normal.inv_cdf((step + 0.5) / _STEPS)) for step in range(_STEPS))


NARROW: Final = lognormal(0.35)
MEDIUM: Final = lognormal(0.6)
WIDE: Final = lognormal(0.9)


def factor(random: Callable[[], float], quantiles: tuple[float, ...]) -> float:
    """Draws a factor whose median is 1."""
    return quantiles[int(random() * _STEPS)]


def generator(*key: object) -> Random:
    """Returns a generator that depends on the key alone."""
    return Random(" ".join(str(part) for part in key))  # noqa: S311 - what is drawn must be drawn again
