"""Caps on one run, and what is left of them."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Final, Literal

from loopwatch.errors import ConfigurationError, LimitExceeded

OnLimit = Literal["raise", "record"] | Callable[[LimitExceeded], None]
CAPS: Final = ("iterations", "tokens", "cost_usd", "duration_s", "identical_calls", "tool_timeout_s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Caps on one run, enforced in the agent's process; None means no cap.

    They are looked at before each iteration, model call and tool call. A cap is what may be used: the run is stopped
    when it would go on beyond it.

    Args:
        iterations: passes of the loop that may begin.
        tokens: input and output tokens of all model calls together.
        cost_usd: US dollars of all model calls together, by the collector's prices or genai-prices.
        duration_s: wall time in seconds since the run began.
        identical_calls: how often one tool may be called with the same arguments and give the same result; retries
            after an error, and polling whose result changes, may be made 2n+1 times. See `loopwatch.loops`.
        loops: whether the other loops of `loopwatch.loops` stop the run too; they are recorded always.
        tool_timeout_s: seconds one tool call may take, unless the tool says otherwise. An async tool is cancelled and
            raises `ToolTimeout`; a sync one is only reported, unless it runs in a thread.
        unpriced: what a model without a price means for `cost_usd`: "warn" logs it, "stop" stops the run. It is never
            counted as free.
        on_limit: "raise" raises `LimitExceeded`; "record" only writes it on the run; a function is called once per
            limit with the `LimitExceeded`, and may raise it.

    Raises:
        ConfigurationError: a cap is not a positive number.
    """

    iterations: int | None = None
    tokens: int | None = None
    cost_usd: float | None = None
    duration_s: float | None = None
    identical_calls: int | None = None
    loops: bool = False
    tool_timeout_s: float | None = None
    unpriced: Literal["warn", "stop"] = "warn"
    on_limit: OnLimit = "raise"

    def __post_init__(self) -> None:
        for field in fields(self):
            cap = getattr(self, field.name)
            if field.name in CAPS and cap is not None and not cap > 0:
                raise ConfigurationError(
                    f"Limits({field.name}={cap!r}): a cap is a positive number, or None for no cap"
                )
        if self.unpriced not in {"warn", "stop"}:
            raise ConfigurationError(f"Limits(unpriced={self.unpriced!r}): choose from 'warn', 'stop'")

    def caps(self) -> dict[str, float]:
        """Returns the caps that are set, by name."""
        return {name: cap for name in CAPS if (cap := getattr(self, name)) is not None}


@dataclass(frozen=True, slots=True)
class Remaining:
    """What is left of each cap; None where none is set."""

    iterations: int | None
    tokens: int | None
    cost_usd: float | None
    duration_s: float | None
