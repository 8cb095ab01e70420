"""What the SDK raises on purpose; everything else that goes wrong inside it stays inside it.

LoopwatchError
├── ConfigurationError   the author: a setting that cannot be honoured
├── Stopped              the run: it may not go on
│   ├── LimitExceeded    a cap on this run was reached
│   │   └── ToolTimeout  a tool took longer than it may: the call is over, the run need not be
│   └── BreakerOpen      the fleet's switch is open
└── ToolError            a tool could not tell (raised by tools, not by the SDK)
    └── NotFound         a tool looked and there is nothing
"""


class LoopwatchError(Exception):
    """Root of everything Loopwatch raises on purpose."""


class ConfigurationError(LoopwatchError):
    """A setting cannot be honoured; the message names it and says what to write instead."""


class Stopped(LoopwatchError):
    """The run may not go on; its outcome is `stopped` even if the agent catches this."""


class LimitExceeded(Stopped):
    """A cap on this run was reached.

    Args:
        limit: the limit's name: iterations, tokens, cost_usd, duration_s, identical_calls, tool_timeout_s, loop.
        value: what the run had used or was about to use.
        cap: the cap in force.
        explanation: what happened, where the numbers alone do not say it.
    """

    def __init__(self, limit: str, value: float, cap: float, explanation: str = "") -> None:
        self.limit = limit
        self.value = value
        self.cap = cap
        self.explanation = explanation
        super().__init__(limit, value, cap, explanation)

    def __str__(self) -> str:
        detail = f" ({self.explanation})" if self.explanation else ""
        return f"the run reached its limit of {self.limit}: {self.value:g} of {self.cap:g}{detail}"


class ToolTimeout(LimitExceeded, TimeoutError):
    """A tool took longer than it may. It is a retryable tool error; the run is stopped only if nothing catches it.

    Args:
        tool: the tool's name.
        value: how long it had taken, in seconds.
        cap: how long it may take.
    """

    def __init__(self, tool: str, value: float, cap: float) -> None:
        super().__init__("tool_timeout_s", value, cap, f"tool {tool}")
        self.tool = tool
        self.retryable = True


class BreakerOpen(Stopped):
    """A breaker of the collector refuses this run.

    Args:
        reason: why it was opened, in the words of whoever or whatever opened it.
        until: when it may close (ISO 8601, UTC), or None when it is held open.
    """

    def __init__(self, reason: str, until: str | None = None) -> None:
        self.reason = reason
        self.until = until
        super().__init__(reason, until)

    def __str__(self) -> str:
        return f"a breaker is open: {self.reason}" + (f" (until {self.until})" if self.until else "")


class ToolError(LoopwatchError):
    """A tool could not tell; raise it in a tool to say whether trying again may help.

    Args:
        message: what went wrong.
        retryable: whether the same call may succeed later.
    """

    def __init__(self, message: str = "", *, retryable: bool = False) -> None:
        self.retryable = retryable
        super().__init__(message)


class NotFound(ToolError):
    """A tool looked, and there is nothing: the tool outcome is `not_found`, which is no error."""
