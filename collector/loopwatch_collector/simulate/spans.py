"""A run's facts as the spans our SDK and the Anthropic client would have sent: names, nesting, order, attributes."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from loopwatch import names
from loopwatch_collector.simulate import content, model_calls, tool_calls, wire
from loopwatch_collector.simulate.behaviour import BYTES_PER_TOKEN, STEP_NS
from loopwatch_collector.simulate.facts import IterationFacts, ModelCallFacts, RunFacts, ToolCallFacts
from loopwatch_collector.simulate.fleet import Agent
from loopwatch_collector.simulate.wire import EVENT_ATTRIBUTE

SDK_SCOPE: Final = ("loopwatch", "")
ANTHROPIC_SCOPE: Final = ("com.anthropic.sdk.python", "2.11.0")

_iteration_number = wire.integers(names.ITERATION)
_KIND_ITERATION: Final = wire.text(names.KIND, "iteration")
_KIND_STEP: Final = wire.text(names.KIND, "step")
_ITERATION_NAMES: Final = tuple(wire.name_and_kind(f"iteration {number}", wire.INTERNAL) for number in range(512))


class SimulatedSpan(NamedTuple):
    """One ended span without its number in the process.

    Attributes:
        scope: the instrumentation scope, name and version.
        body: the bytes of a Span, without its tag and without its `loopwatch.seq`.
    """

    scope: tuple[str, str]
    body: bytes


class RunSpans:
    """Writes runs as spans.

    Args:
        has_content: whether messages, arguments and results are written too.
    """

    def __init__(self, *, has_content: bool) -> None:
        self._has_content = has_content

    def spans(self, run: RunFacts) -> list[SimulatedSpan]:
        """Returns a run's spans, and those of the runs within it, in the order in which they ended."""
        return list(_Writer(run, run.trace.to_bytes(16, "big"), b"", b"", self._has_content).spans())


class _Writer:
    """Writes one run."""

    __slots__ = (
        "agent", "has_content", "head", "history", "next_id", "parent_id", "run", "run_id", "shared", "trace_id",
    )  # fmt: skip

    def __init__(self, run: RunFacts, trace_id: bytes, parent_id: bytes, parent_run: bytes, has_content: bool) -> None:
        planned = run.planned
        self.run = run
        self.agent = planned.agent
        self.has_content = has_content
        self.trace_id = trace_id
        self.parent_id = parent_id
        self.next_id = run.run & 0xFFFFFFFFFFFFFFFF
        self.run_id = b"%032x" % run.run
        self.shared = (
            _fixed_identity(planned.agent.name, planned.version, planned.environment)
            + wire.text(names.RUN_ID, self.run_id)
            + wire.text(names.CUSTOMER_ID, planned.customer_id)
            + wire.text(names.USER_ID, planned.user_id)
            + (wire.text(names.CONVERSATION_ID, planned.conversation_id) if planned.conversation_id else b"")
            + (wire.text(names.PARENT_RUN_ID, parent_run) if parent_run else b"")
        )
        self.head = b"\x0a\x10" + trace_id + b"\x12\x08"
        self.history: list[bytes] = []
        if has_content:
            self.history.append(content.user_message(content.text(run.request, run.request_bytes)))

    def new_id(self) -> bytes:
        # An odd step visits every 64-bit number before it repeats one.
        self.next_id = (self.next_id + 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
        return (self.next_id or 1).to_bytes(8, "big")

    def spans(self) -> Iterator[SimulatedSpan]:
        run = self.run
        run_id = self.new_id()
        iterations = run.iterations if run.is_finished else run.iterations[:-1]
        last = len(run.iterations)
        for number, iteration in enumerate(iterations, start=1):
            yield from self.iteration(number, iteration, run_id, is_last=number == last)
        if run.is_finished:
            yield SimulatedSpan(SDK_SCOPE, self.run_span(run_id))

    def span(
        self, span_id: bytes, parent_id: bytes, name: bytes, start_ns: int, end_ns: int, attributes: bytes, end: bytes
    ) -> bytes:
        parent = b"\x22\x08" + parent_id if parent_id else b""
        return b"".join(
            (self.head, span_id, parent, name, wire.pack_times(0x39, start_ns, 0x41, end_ns), attributes, end)
        )

    def iteration(
        self, number: int, iteration: IterationFacts, run_id: bytes, *, is_last: bool
    ) -> Iterator[SimulatedSpan]:
        iteration_id = self.new_id()
        shared = self.shared + _iteration_number(number)
        phase = self.agent.phase
        model_parent = iteration_id
        if phase == "plan" and number == 1:
            model_parent = self.new_id()
        yield self.model_call(iteration.model_call, model_parent, shared, iteration.tool_calls)
        if model_parent is not iteration_id:
            call = iteration.model_call
            plan_name = _plan_name(self.agent.name)
            attributes = shared + _step_attributes("plan")
            yield SimulatedSpan(
                SDK_SCOPE,
                self.span(
                    model_parent,
                    iteration_id,
                    plan_name,
                    call.start_ns - STEP_NS // 2,
                    call.end_ns + STEP_NS // 2,
                    attributes,
                    b"",
                ),
            )
        if iteration.tool_calls:
            yield from self.tool_calls(iteration.tool_calls, iteration_id, shared)
        events = self.decision_event(iteration.end_ns - 1000) if is_last else b""
        error = self.raised(iteration.end_ns) if is_last and self.run.outcome == "failed" else (b"", b"")
        yield SimulatedSpan(
            SDK_SCOPE,
            self.span(
                iteration_id,
                run_id,
                _ITERATION_NAMES[number],
                iteration.start_ns,
                iteration.end_ns,
                shared + _KIND_ITERATION + error[0],
                events + error[1],
            ),
        )

    def tool_calls(self, calls: list[ToolCallFacts], iteration_id: bytes, shared: bytes) -> Iterator[SimulatedSpan]:
        phase = self.agent.phase
        parent_id = iteration_id
        if phase not in {"", "plan"}:
            parent_id = self.new_id()
            shared += wire.text(names.STEP, phase)
        for call in calls:
            yield from self.tool_call(call, parent_id, shared)
        if self.has_content:
            self.history.append(
                content.results_message([(tool_calls.call_id(call), tool_calls.result(call)) for call in calls])
            )
        if parent_id is not iteration_id:
            start_ns, end_ns = calls[0].start_ns - STEP_NS // 2, calls[-1].end_ns + STEP_NS // 2
            attributes = shared + _KIND_STEP
            yield SimulatedSpan(
                SDK_SCOPE, self.span(parent_id, iteration_id, _step_name(phase), start_ns, end_ns, attributes, b"")
            )

    def model_call(
        self, call: ModelCallFacts, parent_id: bytes, shared: bytes, asked: list[ToolCallFacts]
    ) -> SimulatedSpan:
        said = self.model_content(call, asked) if self.has_content else b""
        body = self.span(
            self.new_id(),
            parent_id,
            model_calls.name(call),
            call.start_ns,
            call.end_ns,
            shared + model_calls.attributes(call, self.agent, said),
            model_calls.status(call),
        )
        return SimulatedSpan(ANTHROPIC_SCOPE if model_calls.is_native(call) else SDK_SCOPE, body)

    def model_content(self, call: ModelCallFacts, asked: list[ToolCallFacts]) -> bytes:
        system = wire.text(names.SYSTEM_INSTRUCTIONS, _system_prompt(self.agent, self.run.planned.version))
        tools = wire.text(names.TOOL_DEFINITIONS, _definitions(self.agent)) if self.agent.tools else b""
        given = wire.text(names.INPUT_MESSAGES, b"[%b]" % b",".join(self.history))
        if call.error_type:
            return system + tools + given
        size = (call.output_tokens - call.reasoning_tokens) * BYTES_PER_TOKEN
        parts = [
            content.tool_call_part(
                tool_calls.call_id(one), one.tool.encode(), content.arguments(one.arguments, one.arguments_bytes)
            )
            for one in asked
        ]
        message = content.assistant_message(content.answer(call.response, max(20, size - 100 * len(parts))), parts)
        self.history.append(message)
        return system + tools + given + wire.text(names.OUTPUT_MESSAGES, b"[%b]" % message)

    def tool_call(self, call: ToolCallFacts, parent_id: bytes, shared: bytes) -> Iterator[SimulatedSpan]:
        span_id = self.new_id()
        if call.child is not None:
            yield from _Writer(call.child, self.trace_id, span_id, self.run_id, self.has_content).spans()
        attributes = shared + tool_calls.attributes(call, has_content=self.has_content)
        end = self.exception(call.error[0], call.error[1], call.end_ns) if call.outcome == "error" else b""
        if call.loop:
            end = tool_calls.loop_event(call) + end
        name = tool_calls.name(call.tool)
        yield SimulatedSpan(SDK_SCOPE, self.span(span_id, parent_id, name, call.start_ns, call.end_ns, attributes, end))

    def exception(self, error_type: str, message: str, time_ns: int) -> bytes:
        said = wire.text("exception.type", error_type, EVENT_ATTRIBUTE)
        if not self.has_content:
            return wire.event("exception", time_ns - 500, said) + wire.ERROR_STATUS
        said += wire.text("exception.message", message, EVENT_ATTRIBUTE)
        return wire.event("exception", time_ns - 500, said) + wire.error_status(message.encode())

    def raised(self, time_ns: int) -> tuple[bytes, bytes]:
        """The exception that ended the run: its attribute, and its event with the status."""
        reason = self.run.reason
        said = f"{reason} while the answer was read"
        return wire.text(names.ERROR_TYPE, reason), self.exception(reason, said, time_ns)

    def decision_event(self, time_ns: int) -> bytes:
        decision = self.run.decision
        if decision is None:
            return b""
        attributes = (
            wire.text(names.DECISION_NAME, self.agent.decision[0], EVENT_ATTRIBUTE)
            + wire.text(names.DECISION_CHOICE, decision.choice, EVENT_ATTRIBUTE)
            + wire.double(names.DECISION_CONFIDENCE, decision.confidence, EVENT_ATTRIBUTE)
        )
        reasoning = content.text(self.run.request ^ 0xD, 90)
        attributes += wire.text(names.DECISION_REASONING, reasoning, EVENT_ATTRIBUTE)
        return wire.event(names.DECISION_EVENT, time_ns, attributes)

    def run_span(self, span_id: bytes) -> bytes:
        run = self.run
        planned = run.planned
        parts = [self.shared, _run_attributes(self.agent), wire.text(names.OUTCOME, run.outcome)]
        if run.reason:
            parts.append(wire.text(names.OUTCOME_REASON, run.reason))
        if run.limit is not None:
            parts.append(_limit_attributes(run.limit, wire.SPAN_ATTRIBUTE))
        end = self.run_events(run.end_ns)
        if run.outcome == "failed":
            error = self.raised(run.end_ns)
            parts.append(error[0])
            end += error[1]
        parts += (
            wire.text(names.INPUT_HASH, b"%016x" % run.request),
            wire.integer(names.INPUT_BYTES, run.request_bytes + 14),
        )
        if self.has_content:
            parts.append(wire.text(names.INPUT, content.request(run.request, run.request_bytes)))
            if run.outcome in {"completed", "escalated"}:
                answer = content.answer(run.iterations[-1].model_call.response, 160)
                parts.append(wire.text(names.OUTPUT, b'"%b"' % answer))
        name = _run_name(self.agent.name)
        return self.span(span_id, self.parent_id, name, planned.start_ns, run.end_ns, b"".join(parts), end)

    def run_events(self, time_ns: int) -> bytes:
        run = self.run
        events = b""
        if run.limit is not None:
            events += wire.event(names.LIMIT_EVENT, time_ns - 3000, _limit_attributes(run.limit, EVENT_ATTRIBUTE))
        if run.escalation is not None:
            events += wire.event(names.ESCALATION_EVENT, time_ns - 2000, self.escalation_attributes())
        if run.decision is not None and run.decision.verdict is not None:
            verdict = run.decision.verdict
            attributes = (
                wire.text(names.EVALUATION_NAME, "correct", EVENT_ATTRIBUTE)
                + wire.double(names.EVALUATION_SCORE, verdict, EVENT_ATTRIBUTE)
                + wire.text(names.EVALUATION_LABEL, "pass" if verdict else "fail", EVENT_ATTRIBUTE)
            )
            events += wire.event(names.EVALUATION_EVENT, time_ns - 1000, attributes)
        return events

    def escalation_attributes(self) -> bytes:
        run = self.run
        escalation = run.escalation
        assert escalation is not None  # noqa: S101 - the caller has looked
        attributes = (
            wire.text(names.ESCALATION_REASON, escalation.reason, EVENT_ATTRIBUTE)
            + wire.text(names.ESCALATION_PRIORITY, escalation.priority, EVENT_ATTRIBUTE)
            + wire.integer(names.ESCALATION_ITERATION, len(run.iterations), EVENT_ATTRIBUTE)
        )
        if escalation.last_tool:
            attributes += wire.text(names.ESCALATION_LAST_TOOL, escalation.last_tool, EVENT_ATTRIBUTE)
        return attributes


def _limit_attributes(limit: tuple[str, int, int], tag: bytes) -> bytes:
    name, value, cap = limit
    return (
        wire.text(names.LIMIT_NAME, name, tag)
        + wire.integer(names.LIMIT_VALUE, value, tag)
        + wire.integer(names.LIMIT_CAP, cap, tag)
    )


@lru_cache(maxsize=256)
def _fixed_identity(agent: str, version: str, environment: str) -> bytes:
    return (
        wire.text(names.AGENT_NAME, agent)
        + wire.text(names.AGENT_VERSION, version)
        + wire.text(names.ENVIRONMENT, environment)
        + wire.texts(names.TAGS, ["simulated", environment])
        + wire.text(names.PROMPT_NAME, agent)
        + wire.text(names.PROMPT_VERSION, f"v{version}")
    )


@lru_cache(maxsize=16)
def _run_name(agent: str) -> bytes:
    return wire.name_and_kind(f"invoke_agent {agent}", wire.INTERNAL)


@lru_cache(maxsize=16)
def _plan_name(agent: str) -> bytes:
    return wire.name_and_kind(f"plan {agent}", wire.INTERNAL)


@lru_cache(maxsize=16)
def _step_name(phase: str) -> bytes:
    return wire.name_and_kind(f"step {phase}", wire.INTERNAL)


@lru_cache(maxsize=16)
def _step_attributes(phase: str) -> bytes:
    attributes = wire.text(names.STEP, phase) + _KIND_STEP
    return attributes + wire.text(names.OPERATION_NAME, names.OPERATION_PLAN) if phase == "plan" else attributes


@lru_cache(maxsize=16)
def _run_attributes(agent: Agent) -> bytes:
    return (
        wire.text(names.OPERATION_NAME, names.OPERATION_INVOKE_AGENT)
        + wire.integer(names.LIMITS_PREFIX + "iterations", agent.cap)
        + wire.integer(names.LIMITS_PREFIX + "identical_calls", 5)
    )


@lru_cache(maxsize=64)
def _system_prompt(agent: Agent, version: str) -> bytes:
    return content.system_prompt(agent, version)


@lru_cache(maxsize=64)
def _definitions(agent: Agent) -> bytes:
    return content.definitions(agent)
