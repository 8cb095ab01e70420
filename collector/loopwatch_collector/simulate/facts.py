"""What happened in a simulated run: values only, from which spans and the truth are made."""

from typing import NamedTuple

from loopwatch_collector.simulate.fleet import Model
from loopwatch_collector.simulate.schedule import PlannedRun


class ModelCallFacts(NamedTuple):
    """One model call.

    Attributes:
        start_ns: ns since the epoch.
        end_ns: ns since the epoch.
        model: who was asked.
        response: 64 bits that name the response; its text depends on them.
        input_tokens: all of them, cached ones included.
        cache_read_tokens: of these, those read from the cache.
        cache_write_tokens: of these, those written to the cache.
        output_tokens: all of them, reasoning included.
        reasoning_tokens: of these, those spent on reasoning.
        asks_tools: whether it ended by asking for tool calls.
        ttft_ns: how long the first token took; 0 where it was not measured.
        resends: how often the client sent the request again.
        error_type: why it failed, or "".
    """

    start_ns: int
    end_ns: int
    model: Model
    response: int
    input_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    output_tokens: int
    reasoning_tokens: int
    asks_tools: bool
    ttft_ns: int
    resends: int
    error_type: str


class ToolCallFacts(NamedTuple):
    """One tool call.

    Attributes:
        start_ns: ns since the epoch.
        end_ns: ns since the epoch.
        tool: its name.
        call: 64 bits that name the call.
        arguments: 64 bits that name its arguments; equal for equal ones.
        arguments_bytes: their size.
        result: 64 bits that name its result; 0 where it has none.
        result_bytes: the result's size.
        outcome: success, not_found or error.
        is_retryable: whether the same call may succeed later.
        error: its error's type and message, or ("", "").
        loop: the kind of loop that this call made evident, or "".
        loop_calls: how many calls that loop had then.
        child: the run that it was, for a tool that is an agent.
    """

    start_ns: int
    end_ns: int
    tool: str
    call: int
    arguments: int
    arguments_bytes: int
    result: int
    result_bytes: int
    outcome: str
    is_retryable: bool
    error: tuple[str, str]
    loop: str = ""
    loop_calls: int = 0
    child: "RunFacts | None" = None


class IterationFacts(NamedTuple):
    """One pass of the loop."""

    start_ns: int
    end_ns: int
    model_call: ModelCallFacts
    tool_calls: list[ToolCallFacts]


class Decision(NamedTuple):
    """What the agent decided, and what came of it.

    Attributes:
        choice: what was chosen.
        confidence: 0..1.
        verdict: 1.0 if an evaluator agreed, 0.0 if not, None if nobody looked.
    """

    choice: str
    confidence: float
    verdict: float | None


class Escalation(NamedTuple):
    """The hand-over to a human."""

    reason: str
    priority: str
    last_tool: str


class RunFacts(NamedTuple):
    """One run.

    Attributes:
        planned: who, where and when.
        run: 128 bits that name the run.
        trace: 128 bits that name the trace.
        parent_run: the run it is part of, or 0.
        end_ns: ns since the epoch.
        request: 64 bits that name what the agent was asked.
        request_bytes: its size.
        iterations: what it did.
        outcome: completed, escalated, failed or stopped.
        reason: why, or "".
        limit: the limit that stopped it with the value reached, or None.
        decision: what it decided, if it came to that.
        escalation: the hand-over, if there was one.
        is_finished: whether its process lived to its end; if not, its last iteration and the run have no span.
    """

    planned: PlannedRun
    run: int
    trace: int
    parent_run: int
    end_ns: int
    request: int
    request_bytes: int
    iterations: list[IterationFacts]
    outcome: str
    reason: str
    limit: tuple[str, int, int] | None
    decision: Decision | None
    escalation: Escalation | None
    is_finished: bool
