"""How a run goes: iterations, tool calls and their failures, loops, tokens, and the end it comes to.

The same seed, day and number give the same run, whatever else is generated.
"""

from bisect import bisect
from random import Random
from typing import Final

from loopwatch_collector.simulate import loops
from loopwatch_collector.simulate.agents import AGENTS, SUMMARIZER
from loopwatch_collector.simulate.draws import MEDIUM, NARROW, WIDE, factor, generator
from loopwatch_collector.simulate.facts import (
    Decision,
    Escalation,
    IterationFacts,
    ModelCallFacts,
    RunFacts,
    ToolCallFacts,
)
from loopwatch_collector.simulate.fleet import Agent, Tool, cumulated
from loopwatch_collector.simulate.schedule import PlannedRun

MILLISECOND_NS: Final = 1_000_000
STEP_NS: Final = 80_000  # of the agent's own code, before and after a model call and after its tool calls
BYTES_PER_TOKEN: Final = 4
EMPTY_RESULT: Final = 1  # what names the result "[]"
IDENTICAL_CALLS_CAP: Final = 5

_RETRY_SHARE: Final = 0.8
_MOST_RETRIES: Final = 3
_KILLED_SHARE: Final = 0.001
_MODEL_ERROR_SHARE: Final = 0.003
_RESEND_SHARE: Final = 0.01
_VERDICT_SHARE: Final = 0.25
_STREAMED_SHARE: Final = 0.6
_CACHE_BLOCK_TOKENS: Final = 128  # OpenAI reads whole blocks of these
_ANSWER_TOKENS: Final = 180
_CALLABLE: Final = {agent.name: tuple(tool for tool in agent.tools if tool.weight) for agent in AGENTS}
_TOOL_SHARES: Final = {name: cumulated([tool.weight for tool in tools]) for name, tools in _CALLABLE.items()}
_FAILURES: Final = ("ValidationError", "KeyError", "JSONDecodeError", "RuntimeError")


def _arguments_bytes(luck: float) -> int:
    return 32 + int(luck * 110)


def schema_bytes(agent: Agent) -> int:
    """Returns the size of the schemas an agent sends along with each request."""
    return sum(260 + len(tool.name) + len(tool.description) for tool in agent.tools)


_SCHEMA_BYTES: Final = {agent.name: schema_bytes(agent) for agent in (*AGENTS, SUMMARIZER)}


def play(seed: int, planned: PlannedRun) -> RunFacts:
    """Plays one run.

    Args:
        seed: the fleet's.
        planned: who, where and when.

    Returns:
        What happened.
    """
    return _Play(planned, generator(seed, planned.day, planned.number)).run()


class _Influence:
    """What incidents change for one run."""

    __slots__ = ("cache_is_broken", "escalations", "iterations", "loop", "loop_share", "outages", "overload", "slow")

    def __init__(self, planned: PlannedRun) -> None:
        self.iterations = 1.0
        self.escalations = planned.agent.escalation_share
        self.loop_share = planned.agent.loop_share
        self.loop = ""
        self.overload = 0.0
        self.cache_is_broken = False
        self.slow: dict[str, float] = {}
        self.outages: dict[str, float] = {}
        for incident in planned.incidents:
            if incident.kind == "tool_slow":
                self.slow[incident.tool] = incident.strength
            elif incident.kind == "tool_outage":
                self.outages[incident.tool] = incident.strength
            elif incident.kind == "cost_spike":
                self.iterations = incident.strength
            elif incident.kind == "release" and planned.version == incident.version:
                self.iterations = incident.strength
                self.escalations *= 2
            elif incident.kind == "cache_break":
                self.cache_is_broken = True
            elif incident.kind == "model_overload":
                self.overload = incident.strength
            elif incident.kind == "escalation_surge":
                self.escalations = incident.strength
            elif incident.kind == "loop_wave":
                self.loop_share = incident.strength
                self.loop = incident.tool


class _Play:
    """One run while it is being played: the clock, the context so far, and what was decided."""

    def __init__(self, planned: PlannedRun, rng: Random) -> None:
        self.planned = planned
        self.agent = planned.agent
        self.rng = rng
        self.random = rng.random
        self.influence = _Influence(planned)
        self.now_ns = planned.start_ns
        self.request_bytes = round(self.agent.input_bytes * factor(self.random, WIDE)) + 20
        self.fixed_tokens = (self.agent.system_bytes + _SCHEMA_BYTES[self.agent.name]) // BYTES_PER_TOKEN
        self.context_tokens = self.fixed_tokens + self.request_bytes // BYTES_PER_TOKEN
        self.cached_tokens = self.fixed_tokens if self.random() < 0.7 else 0
        self.iterations: list[IterationFacts] = []
        self.last_tool = ""
        self.empty: set[str] = set()
        self.retry: tuple[Tool, int, int, int] | None = None  # tool, arguments, their size, tries so far
        self.loop_kind = ""
        self.loop_calls: list[loops.LoopCall] = []
        self.failure = ""
        self.limit: tuple[str, int, int] | None = None
        self.bits = rng.getrandbits

    def run(self) -> RunFacts:
        run_bits, trace_bits, request = self.bits(128), self.bits(128), self.bits(64)
        wanted = max(1, round(self.agent.median_iterations * self.influence.iterations * factor(self.random, MEDIUM)))
        self._plan_loop()
        self._iterate(wanted)
        escalation = self._escalation()
        outcome, reason = self._outcome(escalation)
        return RunFacts(
            self.planned,
            run_bits,
            trace_bits,
            0,
            self.now_ns + round(2 * MILLISECOND_NS * factor(self.random, NARROW)),
            request,
            self.request_bytes,
            self.iterations,
            outcome,
            reason,
            self.limit,
            self._decision(outcome),
            escalation,
            self.random() >= _KILLED_SHARE or len(self.iterations) < 2,
        )

    def _plan_loop(self) -> None:
        tools = _CALLABLE[self.agent.name]
        if self.random() >= self.influence.loop_share or len(tools) < 2:
            return
        kind = "identical_calls" if self.influence.loop else self.rng.choices(loops.KINDS, loops.KIND_WEIGHTS)[0]
        self.loop_kind = kind
        self.loop_calls = loops.calls(kind, self.rng)
        first = (
            next((tool for tool in tools if tool.name == self.influence.loop), None)
            or tools[bisect(_TOOL_SHARES[self.agent.name], self.random())]
        )
        other = tools[(tools.index(first) + 1) % len(tools)]
        self.loop_tools = (first, other)
        self.loop_key = self.bits(56)
        self.loop_bytes = (
            _arguments_bytes(self.random()),
            max(2, round(first.result_bytes * factor(self.random, WIDE))),
        )
        self.loop_done = 0

    def _iterate(self, wanted: int) -> None:
        while not self.failure:
            number = len(self.iterations) + 1
            if number > self.agent.cap:
                self.limit = ("iterations", number, self.agent.cap)
                return
            in_loop = bool(self.loop_calls) and number > 1
            asks_tools = number < wanted or in_loop or self.retry is not None
            self._iteration(asks_tools=asks_tools and bool(self.agent.tools), in_loop=in_loop)
            if self.limit or not asks_tools:
                return

    def _iteration(self, *, asks_tools: bool, in_loop: bool) -> None:
        start_ns = self.now_ns = self.now_ns + round(MILLISECOND_NS * factor(self.random, NARROW))
        self.now_ns += STEP_NS
        call = self._model_call(asks_tools)
        self.now_ns += STEP_NS
        tool_calls: list[ToolCallFacts] = []
        if call.error_type:
            if self.random() < 0.5 or len(self.iterations) + 1 >= self.agent.cap:
                self.failure = "OverloadedError"
        elif in_loop:
            tool_calls.append(self._loop_call())
        elif asks_tools:
            if self.retry is None and self.random() < self.agent.failure_share / self.agent.median_iterations:
                self.failure = _FAILURES[int(self.random() * len(_FAILURES))]
            else:
                tool_calls.append(self._tool_call())
                while self.retry is None and self.random() < 0.24 and len(tool_calls) < 4:
                    tool_calls.append(self._tool_call())
        self.now_ns += STEP_NS + round(0.3 * MILLISECOND_NS * factor(self.random, NARROW))
        self.iterations.append(IterationFacts(start_ns, self.now_ns, call, tool_calls))

    def _model_call(self, asks_tools: bool) -> ModelCallFacts:
        random, model, influence = self.random, self.planned.model, self.influence
        start_ns = self.now_ns
        response = self.bits(64)
        if random() < influence.overload or random() < _MODEL_ERROR_SHARE:
            self.now_ns += round(4_000 * MILLISECOND_NS * factor(random, MEDIUM))
            return ModelCallFacts(
                start_ns, self.now_ns, model, response, 0, 0, 0, 0, 0, False, 0, 2, "overloaded_error"
            )
        share = 0.55 if asks_tools else 1.0
        output = max(5, round(_ANSWER_TOKENS * share * factor(random, MEDIUM)))
        reasoning = round(output * model.reasoning_share * 2 * random()) if model.reasoning_share else 0
        output += reasoning
        read, written = self._cached(model.writes_cache)
        resends = 1 if random() < _RESEND_SHARE else 0
        slowness = 3.0 if influence.overload else 1.0
        ttft_ns = round(model.ttft_ms * slowness * factor(random, NARROW) * MILLISECOND_NS) + resends * 800_000_000
        self.now_ns = start_ns + ttft_ns + round(output * slowness / model.tokens_per_s * 1e9)
        input_tokens = self.context_tokens
        self.context_tokens += output - reasoning
        if random() >= _STREAMED_SHARE:
            ttft_ns = 0
        return ModelCallFacts(
            start_ns, self.now_ns, model, response, input_tokens, read, written, output, reasoning, asks_tools, ttft_ns,
            resends, "",
        )  # fmt: skip

    def _cached(self, writes_cache: bool) -> tuple[int, int]:
        """How much of the context is read from the cache, and how much is written to it."""
        if self.influence.cache_is_broken:
            self.cached_tokens = 0
        known = self.cached_tokens
        self.cached_tokens = self.context_tokens
        if writes_cache:
            return known, self.context_tokens - known
        return known // _CACHE_BLOCK_TOKENS * _CACHE_BLOCK_TOKENS, 0

    def _tool_call(self) -> ToolCallFacts:
        random = self.random
        retry = self.retry
        if retry is None:
            name = self.agent.name
            tool = _CALLABLE[name][bisect(_TOOL_SHARES[name], random())]
            arguments, arguments_bytes, tries = self.bits(63) | 1 << 63, _arguments_bytes(random()), 0
        else:
            tool, arguments, arguments_bytes, tries = retry
        self.retry = None
        outage = self.influence.outages.get(tool.name, 0.0)
        luck = random()
        if luck < (outage or tool.error_share):
            return self._failed_call(tool, arguments, arguments_bytes, tries, outage > 0)
        if luck > 1 - tool.not_found_share and tool.name not in self.empty:
            self.empty.add(tool.name)
            return self._call(tool, arguments, arguments_bytes, EMPTY_RESULT, 2, "not_found")
        size = max(2, round(tool.result_bytes * factor(random, WIDE)))
        if tool.name == self.agent.delegate:
            return self._delegated_call(tool, arguments, arguments_bytes, size)
        return self._call(tool, arguments, arguments_bytes, self.bits(63) | 1 << 63, size, "success")

    def _failed_call(
        self, tool: Tool, arguments: int, arguments_bytes: int, tries: int, is_outage: bool
    ) -> ToolCallFacts:
        is_retryable = is_outage or self.random() < tool.retryable_share
        others = tool.errors[1:] or tool.errors
        error = tool.errors[0] if is_retryable else others[int(self.random() * len(others))]
        if is_retryable and tries < _MOST_RETRIES and self.random() < _RETRY_SHARE:
            self.retry = (tool, arguments, arguments_bytes, tries + 1)
        return self._call(tool, arguments, arguments_bytes, 0, 0, "error", is_retryable, error)

    def _call(
        self,
        tool: Tool,
        arguments: int,
        arguments_bytes: int,
        result: int,
        result_bytes: int,
        outcome: str,
        is_retryable: bool = False,
        error: tuple[str, str] = ("", ""),
        loop: str = "",
        loop_calls: int = 0,
        child: RunFacts | None = None,
    ) -> ToolCallFacts:
        start_ns = self.now_ns
        if child is not None:
            self.now_ns = child.end_ns + MILLISECOND_NS
        elif error[0] == "TimeoutError":
            self.now_ns = start_ns + 10_000 * MILLISECOND_NS + int(self.random() * 50 * MILLISECOND_NS)
        else:
            slowness = self.influence.slow.get(tool.name, 1.0)
            self.now_ns = start_ns + round(tool.median_ms * slowness * factor(self.random, WIDE) * MILLISECOND_NS)
        self.last_tool = tool.name
        self.context_tokens += (result_bytes or len(error[1])) // BYTES_PER_TOKEN + 12
        return ToolCallFacts(
            start_ns, self.now_ns, tool.name, self.bits(64), arguments, arguments_bytes, result, result_bytes, outcome,
            is_retryable, error, loop, loop_calls, child,
        )  # fmt: skip

    def _loop_call(self) -> ToolCallFacts:
        call = self.loop_calls.pop(0)
        self.loop_done += 1
        self.retry = None
        tool = self.loop_tools[call.tool]
        arguments = self.loop_key << 8 | 0x80 | call.arguments
        loop = (self.loop_kind, self.loop_done) if call.is_evident else ("", 0)
        if self.loop_kind == "identical_calls" and self.loop_done > IDENTICAL_CALLS_CAP:
            self.limit = ("identical_calls", self.loop_done, IDENTICAL_CALLS_CAP)
        if call.result < 0:
            error = tool.errors[0]
            return self._call(tool, arguments, self.loop_bytes[0], 0, 0, "error", True, error, *loop)
        result = self.loop_key << 8 | 0x40 | call.result
        return self._call(
            tool, arguments, self.loop_bytes[0], result, self.loop_bytes[1], "success", False, ("", ""), *loop
        )

    def _delegated_call(self, tool: Tool, arguments: int, arguments_bytes: int, size: int) -> ToolCallFacts:
        planned = self.planned._replace(
            start_ns=self.now_ns + MILLISECOND_NS // 2,
            agent=SUMMARIZER,
            version=SUMMARIZER.version,
            model=SUMMARIZER.models[0][0],
            incidents=(),
        )
        child = _Play(planned, self.rng).summary()
        return self._call(tool, arguments, arguments_bytes, self.bits(63) | 1 << 63, size, "success", child=child)

    def summary(self) -> RunFacts:
        """Plays the one iteration of a run inside another; what names both is filled in where they are joined."""
        run_bits, request = self.bits(128), self.bits(64)
        self._iteration(asks_tools=False, in_loop=False)
        outcome, reason = self._outcome(None)
        return RunFacts(
            self.planned, run_bits, 0, 0, self.now_ns + MILLISECOND_NS, request, self.request_bytes, self.iterations,
            outcome, reason, None, None, None, True,
        )  # fmt: skip

    def _escalation(self) -> Escalation | None:
        share = self.influence.escalations
        last = self.iterations[-1]
        if any(call.outcome == "error" for call in last.tool_calls):
            share = max(share, 0.5)
        if self.limit is not None:
            share = 0.25 * (share > 0)
        if self.failure or self.random() >= share:
            return None
        reasons = self.agent.escalation_reasons
        reason = reasons[int(self.random() * len(reasons))]
        return Escalation(reason, "high" if self.random() < 0.2 else "normal", self.last_tool)

    def _outcome(self, escalation: Escalation | None) -> tuple[str, str]:
        """Several may apply: escalated, then stopped, then failed, then completed."""
        if escalation is not None:
            return "escalated", escalation.reason
        if self.limit is not None:
            name, value, cap = self.limit
            return "stopped", f"{name}: {value} reaches the cap of {cap}"
        if self.failure:
            return "failed", self.failure
        return "completed", ""

    def _decision(self, outcome: str) -> Decision | None:
        if outcome in {"failed", "stopped"} or not self.agent.decision:
            return None
        choices = self.agent.decision[1:]
        choice = choices[int(self.random() * len(choices))]
        # A mean of three is bell-shaped; agents that give up are less sure, and all are surer than they are right.
        spread = (self.random() + self.random() + self.random()) / 3
        confidence = round(
            min(0.99, 0.35 + 0.62 * spread) if outcome == "escalated" else min(0.99, 0.55 + 0.45 * spread), 2
        )
        verdict = None
        if self.random() < _VERDICT_SHARE:
            verdict = 1.0 if self.random() < max(0.05, confidence * 1.25 - 0.27) else 0.0
        return Decision(choice, confidence, verdict)
