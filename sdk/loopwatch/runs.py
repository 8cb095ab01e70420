"""A run in progress: who it is for, what it has used, and how it ends."""

import threading
import time
from collections.abc import Mapping
from typing import Any, Final

from opentelemetry import context as otel_context
from opentelemetry.context import Context

from loopwatch import names, usage
from loopwatch.capture import Capture
from loopwatch.errors import LimitExceeded
from loopwatch.limits import Limits, Remaining

SCOPE_KEY: Final = otel_context.create_key("loopwatch.scope")
IDENTITY_KEY: Final = otel_context.create_key("loopwatch.identity")

NO_LIMITS: Final = Limits()


class Scope:
    """Where in a run the current code is; its attributes go on every span opened there.

    Args:
        run: the run.
        attributes: what every span gets: the run's identity, the iteration and the step.
        iteration: the iteration's number, counted from 1; 0 outside any.
    """

    __slots__ = ("attributes", "encoded", "iteration", "run")

    def __init__(self, run: "Run", attributes: dict[str, Any], iteration: int = 0) -> None:
        self.run = run
        self.attributes = attributes
        self.iteration = iteration
        self.encoded: bytes | None = None  # filled by the exporter: the same bytes on every span of the scope

    def with_iteration(self, number: int) -> "Scope":
        """Returns the scope inside one iteration of the run."""
        return Scope(self.run, {**self.attributes, names.ITERATION: number}, number)

    def with_attributes(self, attributes: Mapping[str, Any]) -> "Scope":
        """Returns the scope with more, or other, attributes for every span."""
        return Scope(self.run, {**self.attributes, **attributes}, self.iteration)


def current_scope(context: Context | None = None) -> Scope | None:
    """Returns where in a run the context is, or None outside any run."""
    scope = (otel_context.get_current() if context is None else context).get(SCOPE_KEY)
    return scope if type(scope) is Scope else None


class Run:
    """One execution of an agent, as its own code may look at it.

    Args:
        run_id: 32 hexadecimal digits.
        agent: the agent's name.
        limits: the caps in force.
        capture: kinds of content that may leave, or None for the process's choice.
    """

    def __init__(self, run_id: str, agent: str, limits: Limits, capture: Capture | None = None) -> None:
        self.run_id = run_id
        self.agent = agent
        self.limits = limits
        self.capture = capture
        self.iterations = 0
        self.input_tokens = 0
        self.output_tokens = 0
        self.model_calls = 0
        self.tool_calls = 0
        self.cost_usd: float | None = None
        self.escalation: tuple[str, str] | None = None
        self.exceeded: LimitExceeded | None = None
        self.last_tool: str | None = None
        self.outcome: str = "open"
        self.span: Any = None
        self.started = time.monotonic()
        self.lock = threading.Lock()
        self.identical: dict[object, int] = {}
        self.responses: set[str] = set()
        self.open_iteration: Any = None

    @property
    def tokens(self) -> int:
        """Input and output tokens of the model calls that have ended."""
        return self.input_tokens + self.output_tokens

    @property
    def duration_s(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self.started

    @property
    def remaining(self) -> Remaining:
        """What is left of each cap; None where none is set."""
        caps = self.limits
        return Remaining(
            iterations=None if caps.iterations is None else max(caps.iterations - self.iterations, 0),
            tokens=None if caps.tokens is None else max(caps.tokens - self.tokens, 0),
            cost_usd=None if caps.cost_usd is None else max(caps.cost_usd - (self.cost_usd or 0.0), 0.0),
            duration_s=None if caps.duration_s is None else max(caps.duration_s - self.duration_s, 0.0),
        )

    def count_model_call(self, attributes: Mapping[str, Any]) -> None:
        """Adds an ended span to what the run has used, if it is a model call; spans of one response count once."""
        used = usage.read(attributes)
        if used is None:
            return
        with self.lock:
            if used.response_id in self.responses:
                return
            if used.response_id:
                self.responses.add(used.response_id)
            self.model_calls += 1
            self.input_tokens += used.input_tokens
            self.output_tokens += used.output_tokens

    def check(self, iterations: int = 0) -> None:
        """Looks at every cap before more work begins.

        Args:
            iterations: how many iterations are about to begin.

        Raises:
            LimitExceeded: a cap is reached, and the author chose to raise.
        """
        if self.limits is NO_LIMITS:
            return
        caps = self.limits
        if caps.iterations is not None and self.iterations + iterations > caps.iterations:
            self.exceed(LimitExceeded("iterations", self.iterations + iterations, caps.iterations))
        if caps.tokens is not None and self.tokens >= caps.tokens:
            self.exceed(LimitExceeded("tokens", self.tokens, caps.tokens))
        if caps.duration_s is not None and self.duration_s >= caps.duration_s:
            self.exceed(LimitExceeded("duration_s", self.duration_s, caps.duration_s))

    def count_tool_call(self, tool: str, arguments: object) -> None:
        """Counts a tool call that is about to run, and looks at the cap on identical ones.

        Raises:
            LimitExceeded: the same call was made too often, and the author chose to raise.
        """
        self.last_tool = tool
        cap = self.limits.identical_calls
        with self.lock:
            self.tool_calls += 1
            calls = self.identical[(tool, arguments)] = self.identical.get((tool, arguments), 0) + 1
        if cap is not None and calls > cap:
            self.exceed(LimitExceeded("identical_calls", calls, cap, f"{tool} with the same arguments"))

    def exceed(self, exceeded: LimitExceeded) -> None:
        """Records that a cap was reached and does what the author chose."""
        if self.exceeded is None:
            self.exceeded = exceeded
            self.span.add_event(
                names.LIMIT_EVENT,
                {
                    names.LIMIT_NAME: exceeded.limit,
                    names.LIMIT_VALUE: exceeded.value,
                    names.LIMIT_CAP: exceeded.cap,
                },
            )
        if callable(self.limits.on_limit):
            self.limits.on_limit(exceeded)
        elif self.limits.on_limit == "raise":
            raise exceeded

    def end_attributes(self, error: BaseException | None) -> dict[str, Any]:
        """Returns the outcome and its reason, as attributes of the run span."""
        self.outcome, reason = self._outcome(error)
        attributes: dict[str, Any] = {names.OUTCOME: self.outcome}
        if reason:
            attributes[names.OUTCOME_REASON] = reason
        if self.exceeded is not None:
            attributes[names.LIMIT_NAME] = self.exceeded.limit
            attributes[names.LIMIT_VALUE] = self.exceeded.value
            attributes[names.LIMIT_CAP] = self.exceeded.cap
        return attributes

    def _outcome(self, error: BaseException | None) -> tuple[str, str]:
        """Several may apply: escalated, then stopped, then failed, then completed."""
        if self.escalation is not None:
            return "escalated", self.escalation[0]
        if self.exceeded is not None:
            return "stopped", str(self.exceeded)
        if error is not None:
            return "failed", type(error).__name__
        return "completed", ""


def current_run() -> Run | None:
    """Returns the run the calling code is in, or None outside any."""
    scope = current_scope()
    return None if scope is None else scope.run
