"""Randomness that is a function of its seed: the simulation draws nothing from anywhere else."""

from random import Random


def seeded(*parts: object) -> Random:
    """Makes the randomness of one purpose.

    Args:
        parts: the seed and what the randomness is for; equal parts give equal draws, in every process.
    """
    return Random("/".join(str(part) for part in parts))  # noqa: S311 a simulation, not a secret
