"""Caps on one run, and what is left of them."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Literal

from loopwatch.errors import ConfigurationError, LimitExceeded

OnLimit = Literal["raise", "record"] | Callable[[LimitExceeded], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Caps on one run, enforced in the agent's process; None means no cap.

    Args:
        iterations: passes of the loop that may begin.
        tokens: input and output tokens of all model calls together.
        cost_usd: US dollars of all model calls together.
        duration_s: wall time in seconds since the run began.
        identical_calls: how often one tool may be called with the same arguments.
        on_limit: "raise" raises `LimitExceeded`; "record" only writes it on the run; a function is called
            with the `LimitExceeded` (and may raise it).

    Raises:
        ConfigurationError: a cap is not a positive number.
    """

    iterations: int | None = None
    tokens: int | None = None
    cost_usd: float | None = None
    duration_s: float | None = None
    identical_calls: int | None = None
    on_limit: OnLimit = "raise"

    def __post_init__(self) -> None:
        for field in fields(self):
            cap = getattr(self, field.name)
            if field.name in CAPS and cap is not None and not cap > 0:
                raise ConfigurationError(
                    f"Limits({field.name}={cap!r}): a cap is a positive number, or None for no cap"
                )

    def caps(self) -> dict[str, float]:
        """Returns the caps that are set, by name."""
        return {name: cap for name in CAPS if (cap := getattr(self, name)) is not None}


CAPS = ("iterations", "tokens", "cost_usd", "duration_s", "identical_calls")


@dataclass(frozen=True, slots=True)
class Remaining:
    """What is left of each cap; None where none is set."""

    iterations: int | None
    tokens: int | None
    cost_usd: float | None
    duration_s: float | None
