"""Caps on one run, and what is left of them."""

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Final, Literal

from loopwatch.errors import ConfigurationError, LimitExceeded

OnLimit = Literal["raise", "record"] | Callable[[LimitExceeded], None]
_KINDS: Final[dict[str, type[int | float]]] = {
    "iterations": int,
    "tokens": int,
    "cost_usd": float,
    "duration_s": float,
    "identical_calls": int,
    "tool_timeout_s": float,
}
CAPS: Final = tuple(_KINDS)


def fault_of_cap(name: str, cap: object, kind: type[int | float]) -> str:
    """Says what is wrong with a cap, or returns "".

    Args:
        name: as the author wrote it.
        cap: a positive number, or None for no cap.
        kind: int where only whole numbers make sense.
    """
    if cap is None:
        return ""
    is_number = not isinstance(cap, bool) and isinstance(cap, Integral if kind is int else Real)
    if is_number and cap > 0:  # pyright: ignore[reportOperatorIssue, reportUnknownVariableType]  # a number
        return ""
    return f"{name}={cap!r}: a cap is a positive {'whole ' if kind is int else ''}number, or None for no cap"


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
        ConfigurationError: a cap is not a positive number, or a word is none of its choices; all of them at once.
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
        faults = [fault for name in CAPS if (fault := fault_of_cap(name, getattr(self, name), _KINDS[name]))]
        if type(self.loops) is not bool:
            faults.append(f"loops={self.loops!r}: write True or False")
        if self.unpriced not in ("warn", "stop"):
            faults.append(f"unpriced={self.unpriced!r}: choose from 'warn', 'stop'")
        if not callable(self.on_limit) and self.on_limit not in ("raise", "record"):
            faults.append(f"on_limit={self.on_limit!r}: choose from 'raise', 'record', or give a function")
        if faults:
            raise ConfigurationError(f"Limits({'; '.join(faults)})")

    def caps(self) -> dict[str, float]:
        """Returns the caps that are set, by name."""
        return {name: cap for name in CAPS if (cap := getattr(self, name)) is not None}


def check_limits(limits: object) -> None:
    """Refuses anything but `Limits`, which would leave the runs without any.

    Args:
        limits: what an author gave in their place.

    Raises:
        ConfigurationError: it is something else.
    """
    if not isinstance(limits, Limits):
        raise ConfigurationError(
            f"agent(limits={limits!r:.80}): write loopwatch.Limits(...), such as loopwatch.Limits(iterations=25), "
            "or leave it out for none"
        )


@dataclass(frozen=True, slots=True)
class Remaining:
    """What is left of each cap; None where none is set."""

    iterations: int | None
    tokens: int | None
    cost_usd: float | None
    duration_s: float | None
