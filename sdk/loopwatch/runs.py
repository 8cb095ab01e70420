"""A run in progress: what it has used, what is left, and how it ends."""

import threading
import time
from collections.abc import Mapping
from typing import Any, Final

from loopwatch import names, usage
from loopwatch.capture import Capture
from loopwatch.errors import LimitExceeded
from loopwatch.faults import logger, swallow
from loopwatch.limits import Limits, Remaining
from loopwatch.loops import DEFAULT_IDENTICAL_CALLS, Loop, LoopDetector
from loopwatch.prices import PriceBook
from loopwatch.usage import Usage

NO_LIMITS: Final = Limits()
_IDENTICAL: Final = frozenset({"identical_calls", "retry_storm", "polling"})


class Run:
    """One execution of an agent, as its own code may look at it.

    Args:
        run_id: 32 hexadecimal digits.
        agent: the agent's name.
        limits: the caps in force.
        capture: kinds of content that may leave, or None for the process's choice.
        prices: where costs come from, or None if nobody asked for them.
    """

    def __init__(
        self,
        run_id: str,
        agent: str,
        limits: Limits = NO_LIMITS,
        capture: Capture | None = None,
        prices: PriceBook | None = None,
    ) -> None:
        self.run_id = run_id
        self.agent = agent
        self.limits = limits
        self.capture = capture
        self.prices = prices
        self.span: Any = None
        self.iterations = 0
        self.model_calls = 0
        self.tool_calls = 0
        self.input_tokens = 0
        self.output_tokens = 0
        self.last_tool: str | None = None
        self.outcome = "open"
        self.escalation: tuple[str, str] | None = None
        self.stopped_by: Exception | None = None
        self.open_iterations: Any = None
        self._exceeded: dict[str, LimitExceeded] = {}
        self._pending: LimitExceeded | None = None
        self._cost_usd = 0.0
        self._unpriced: list[Usage] = []
        self._warned_unpriced = False
        self._responses: set[str] = set()
        self._loops = LoopDetector(limits.identical_calls or DEFAULT_IDENTICAL_CALLS)
        self._started = time.monotonic()
        self._lock = threading.Lock()

    @property
    def tokens(self) -> int:
        """Input and output tokens of the model calls that have ended."""
        return self.input_tokens + self.output_tokens

    @property
    def duration_s(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self._started

    @property
    def cost_usd(self) -> float | None:
        """US dollars of the model calls that have ended; None if that is not known, of one of them or at all."""
        if self.prices is None:
            return None
        self._price()
        return None if self._unpriced else self._cost_usd

    @property
    def remaining(self) -> Remaining:
        """What is left of each cap; None where none is set."""
        caps = self.limits
        return Remaining(
            iterations=None if caps.iterations is None else max(caps.iterations - self.iterations, 0),
            tokens=None if caps.tokens is None else max(caps.tokens - self.tokens, 0),
            cost_usd=None if caps.cost_usd is None else max(caps.cost_usd - (self.cost_usd or self._cost_usd), 0.0),
            duration_s=None if caps.duration_s is None else max(caps.duration_s - self.duration_s, 0.0),
        )

    def model_call_began(self, attributes: Mapping[str, Any]) -> None:
        """Has the model's price looked up while it answers, if anybody asked for costs."""
        if self.prices is not None and usage.is_model_call(attributes):
            self.prices.want(*usage.model_of(attributes), self.limits.cost_usd is not None)

    def model_call_ended(self, attributes: Mapping[str, Any]) -> None:
        """Adds an ended span to what the run has used, if it is a model call; spans of one response count once."""
        used = usage.read(attributes)
        if used is None:
            return
        with self._lock:
            if used.response_id in self._responses:
                return
            if used.response_id:
                self._responses.add(used.response_id)
            self.model_calls += 1
            self.input_tokens += used.input_tokens
            self.output_tokens += used.output_tokens
            if self.prices is not None:
                self._unpriced.append(used)
        if self.prices is not None:
            self.prices.want(used.provider, used.model, self.limits.cost_usd is not None)
            self._price()

    def _price(self) -> None:
        """Moves what has a price by now from the unpriced calls to the cost."""
        with self._lock:
            left: list[Usage] = []
            for used in self._unpriced:
                cost = None if self.prices is None else self.prices.cost_usd(used)
                if cost is None:
                    left.append(used)
                else:
                    self._cost_usd += cost
            self._unpriced = left

    def check(self, iterations: int = 0) -> None:
        """Looks at every cap before more work begins.

        Args:
            iterations: how many iterations are about to begin.

        Raises:
            LimitExceeded: a cap is reached, and the author chose to raise.
        """
        if self.limits is NO_LIMITS:
            return
        try:
            reached = self._reached(iterations)
        except Exception as fault:  # noqa: BLE001 - a fault of ours must not stop the agent
            swallow("run.check", fault, self.agent)
            return
        for exceeded in reached:
            self.exceed(exceeded)

    def _reached(self, iterations: int) -> list[LimitExceeded]:
        """Returns the caps that what is about to begin would pass."""
        caps = self.limits
        reached: list[LimitExceeded] = []
        if self._pending is not None:
            reached.append(self._pending)
        if caps.iterations is not None and self.iterations + iterations > caps.iterations:
            reached.append(LimitExceeded("iterations", self.iterations + iterations, caps.iterations))
        if caps.tokens is not None and self.tokens >= caps.tokens:
            reached.append(LimitExceeded("tokens", self.tokens, caps.tokens))
        if caps.duration_s is not None and self.duration_s >= caps.duration_s:
            reached.append(LimitExceeded("duration_s", self.duration_s, caps.duration_s))
        if caps.cost_usd is not None:
            reached += self._reached_cost(caps.cost_usd)
        return reached

    def _reached_cost(self, cap: float) -> list[LimitExceeded]:
        self._price()
        if self._cost_usd >= cap:
            return [LimitExceeded("cost_usd", self._cost_usd, cap)]
        for used in self._unpriced:
            if self.prices is None or not self.prices.is_known(used.provider, used.model):
                continue
            if self.limits.unpriced == "stop":
                return [LimitExceeded("cost_usd", self._cost_usd, cap, f"model {used.model} has no price")]
            if not self._warned_unpriced:
                self._warned_unpriced = True
                logger.warning("loopwatch: model %r has no price: the run's cap on cost does not see it", used.model)
        return []

    def tool_call_ended(self, loop: Loop | None) -> None:
        """Remembers a loop that the author does not want to go on; the next thing that begins is refused."""
        if loop is None:
            return
        cap = self.limits.identical_calls
        if cap is not None and loop.kind in _IDENTICAL:
            self._pending = LimitExceeded("identical_calls", loop.calls, cap, loop.explanation)
        elif self.limits.loops:
            self._pending = LimitExceeded("loops", loop.calls, loop.calls, loop.explanation)

    def report(self, exceeded: LimitExceeded) -> None:
        """Writes down that a cap was passed by something that is over, and can only be reported."""
        self._note(exceeded)
        logger.warning("loopwatch: %s", exceeded)

    @property
    def loops(self) -> LoopDetector:
        """Watches the run's tool calls."""
        return self._loops

    def exceed(self, exceeded: LimitExceeded) -> None:
        """Records that a cap was reached, once per limit, and does what the author chose.

        Raises:
            LimitExceeded: the author chose to raise.
        """
        first = exceeded.limit not in self._exceeded
        if first:
            self._note(exceeded)
        if self.limits.on_limit == "raise":
            self.stopped_by = exceeded
            raise exceeded
        if first and callable(self.limits.on_limit):
            self._hand_over(exceeded)
        elif first:
            logger.warning("loopwatch: %s (recorded only)", exceeded)

    def _note(self, exceeded: LimitExceeded) -> None:
        self._exceeded[exceeded.limit] = exceeded
        try:
            self.span.add_event(names.LIMIT_EVENT, _limit_attributes(exceeded))
        except Exception as fault:  # noqa: BLE001 - the limit holds even if it cannot be written down
            swallow("run.limit", fault, self.agent)

    def _hand_over(self, exceeded: LimitExceeded) -> None:
        """Calls the author's function; what it raises is meant for the agent."""
        if not callable(self.limits.on_limit):
            return
        try:
            self.limits.on_limit(exceeded)
        except Exception as raised:  # of any kind: whatever the author's function raises is what stops the run
            self.stopped_by = raised
            raise

    def end_attributes(self, error: BaseException | None) -> dict[str, Any]:
        """Returns the outcome and its reason, as attributes of the run span."""
        self.outcome, reason = self._outcome(error)
        attributes: dict[str, Any] = {names.OUTCOME: self.outcome}
        if reason:
            attributes[names.OUTCOME_REASON] = reason
        exceeded = self.stopped_by if isinstance(self.stopped_by, LimitExceeded) else None
        if exceeded is None and self._exceeded:
            exceeded = next(iter(self._exceeded.values()))
        if exceeded is not None:
            attributes.update(_limit_attributes(exceeded))
        cost = self.cost_usd
        if cost is not None:
            attributes[names.COST_USD] = cost
        return attributes

    def _outcome(self, error: BaseException | None) -> tuple[str, str]:
        """Several may apply: escalated, then stopped, then failed, then completed."""
        if self.escalation is not None:
            return "escalated", self.escalation[0]
        if self.stopped_by is not None:
            return "stopped", str(self.stopped_by)
        if error is not None:
            return "failed", type(error).__name__
        return "completed", ""


def _limit_attributes(exceeded: LimitExceeded) -> dict[str, Any]:
    return {names.LIMIT_NAME: exceeded.limit, names.LIMIT_VALUE: exceeded.value, names.LIMIT_CAP: exceeded.cap}
