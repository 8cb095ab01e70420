"""Transcripts as OTLP: the spans our SDK would have sent had it watched the run.

Every id is a hash of the transcript's identity, and every time is the file's own or counted from a given
start, so that the same transcript is always the same request.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from loopwatch import names
from loopwatch_collector.importing.transcript import ToolCall, Transcript, Turn

SCOPE = "loopwatch.import"
MESSAGE_NS = 1_000_000_000  # how long after the one before it a message without a time is put

Attribute = str | int | float | bool | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Recording:
    """A transcript put on the clock.

    Attributes:
        transcript: what was recorded.
        start_ns: the run's start, ns since the epoch.
        times_ns: when each message was written, ns since the epoch.
        has_content: whether the spans carry messages, arguments and results.
    """

    transcript: Transcript
    start_ns: int
    times_ns: tuple[int, ...]
    has_content: bool = True

    @property
    def trace_id(self) -> bytes:
        """16 bytes made from the transcript's identity."""
        return hashlib.sha256(b"trace" + self.transcript.identity.encode()).digest()[:16]

    @property
    def run_id(self) -> str:
        """32 hex digits made from the transcript's identity."""
        return run_id_of(self.transcript)

    def span_id(self, name: str) -> bytes:
        """8 bytes for the span of that name, the same at each import."""
        return hashlib.sha256(f"{self.transcript.identity}\n{name}".encode()).digest()[:8]


def run_id_of(transcript: Transcript) -> str:
    """The id a transcript's run has, however often it is imported."""
    return hashlib.sha256(b"run" + transcript.identity.encode()).hexdigest()[:32]


def record(transcript: Transcript, start_ns: int | None, *, has_content: bool = True) -> Recording:
    """Puts a transcript on the clock.

    Args:
        transcript: the transcript.
        start_ns: the run's start for a transcript without times of its own, ns since the epoch; each of its
            messages then comes `MESSAGE_NS` after the one before it.
        has_content: whether to send messages, arguments and results.

    Returns:
        The recording. A transcript's own times win over `start_ns`.

    Raises:
        ValueError: the transcript has no times and no start was given.
    """
    own = [time_ns for time_ns in transcript.times_ns if time_ns is not None]
    if transcript.has_times:
        return Recording(transcript, min(own), tuple(own), has_content)
    if start_ns is None:
        raise ValueError("a transcript without times needs a start")
    assigned = tuple(start_ns + MESSAGE_NS * (index + 1) for index in range(len(transcript.messages)))
    return Recording(transcript, start_ns, assigned, has_content)


def request_of(recording: Recording) -> ExportTraceServiceRequest:
    """The OTLP request that carries one recorded run.

    Args:
        recording: the run, on the clock.

    Returns:
        A request with one resource and one scope: the run's span, then each iteration's.
    """
    request = ExportTraceServiceRequest()
    resource_spans = request.resource_spans.add()
    resource_spans.resource.attributes.extend(_key_values({names.SERVICE_NAME: recording.transcript.agent}))
    scope_spans = resource_spans.scope_spans.add()
    scope_spans.scope.name = SCOPE
    scope_spans.spans.append(_run_span(recording))
    for number, turn in enumerate(recording.transcript.turns, start=1):
        scope_spans.spans.extend(_iteration_spans(recording, number, turn))
    return request


def _any_value(value: Attribute) -> AnyValue:
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value)
    if isinstance(value, float):
        return AnyValue(double_value=value)
    if isinstance(value, tuple):
        return AnyValue(array_value=ArrayValue(values=[AnyValue(string_value=item) for item in value]))
    return AnyValue(string_value=value)


def _key_values(attributes: Mapping[str, Attribute | None]) -> list[KeyValue]:
    # Nothing known is nothing sent: an empty conversation id would join strangers.
    return [
        KeyValue(key=key, value=_any_value(value))
        for key, value in attributes.items()
        if value is not None and value != ""
    ]


def _span(
    recording: Recording,
    name: str,
    *,
    key: str,
    parent: str | None,
    start_ns: int,
    end_ns: int,
    attributes: Mapping[str, Attribute | None],
) -> Span:
    transcript = recording.transcript
    shared: dict[str, Attribute | None] = {
        names.RUN_ID: recording.run_id,
        names.AGENT_NAME: transcript.agent,
        names.CONVERSATION_ID: transcript.conversation_id,
        names.CUSTOMER_ID: transcript.customer_id,
        names.USER_ID: transcript.user_id,
    }
    return Span(
        trace_id=recording.trace_id,
        span_id=recording.span_id(key),
        parent_span_id=recording.span_id(parent) if parent else b"",
        name=name,
        kind=Span.SPAN_KIND_CLIENT if key.startswith("model") else Span.SPAN_KIND_INTERNAL,
        start_time_unix_nano=start_ns,
        end_time_unix_nano=max(start_ns, end_ns),
        attributes=_key_values({**shared, **attributes}),
    )


def _run_span(recording: Recording) -> Span:
    transcript = recording.transcript
    content = recording.has_content and transcript.messages
    span = _span(
        recording,
        f"invoke_agent {transcript.agent}",
        key="run",
        parent=None,
        start_ns=recording.start_ns,
        end_ns=max(recording.times_ns, default=recording.start_ns),
        attributes={
            names.OPERATION_NAME: names.OPERATION_INVOKE_AGENT,
            names.OUTCOME: "escalated" if transcript.hand_over else transcript.outcome,
            names.OUTCOME_REASON: transcript.outcome_reason,
            "loopwatch.import.times": "recorded" if transcript.has_times else "assigned",
            names.INPUT: _text_of_message(transcript.messages[0]) if content else None,
            names.OUTPUT: _text_of_message(transcript.messages[-1]) if content else None,
        },
    )
    _add_events(span, recording)
    return span


def _text_of_message(message: Mapping[str, Any]) -> str:
    return "\n".join(str(part.get("content") or part.get("response") or "") for part in message["parts"])


def _add_events(span: Span, recording: Recording) -> None:
    transcript = recording.transcript
    if transcript.hand_over:
        call, iteration = transcript.hand_over
        event = span.events.add(name=names.ESCALATION_EVENT, time_unix_nano=_answer_ns(recording, call, span))
        event.attributes.extend(
            _key_values(
                {
                    names.ESCALATION_REASON: _reason_of(call, has_content=recording.has_content),
                    names.ESCALATION_LAST_TOOL: call.tool,
                    names.ESCALATION_ITERATION: iteration,
                }
            )
        )
    if transcript.score:
        name, value = transcript.score
        event = span.events.add(name=names.EVALUATION_EVENT, time_unix_nano=span.end_time_unix_nano)
        event.attributes.extend(_key_values({names.EVALUATION_NAME: name, names.EVALUATION_SCORE: value}))


def _answer_ns(recording: Recording, call: ToolCall, span: Span) -> int:
    return span.end_time_unix_nano if call.answered_at is None else recording.times_ns[call.answered_at]


def _reason_of(call: ToolCall, *, has_content: bool) -> str:
    # A hand-over's first text argument is the sentence the agent wrote for the human; without content
    # only the tool's name may leave.
    try:
        arguments: object = json.loads(call.arguments)
    except ValueError:
        arguments = None
    if has_content and isinstance(arguments, dict):
        texts = (value for value in arguments.values() if isinstance(value, str) and value)  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]  # JSON of any shape
        return next(texts, call.tool)
    return call.tool


def _iteration_spans(recording: Recording, number: int, turn: Turn) -> Iterator[Span]:
    start_ns = recording.times_ns[turn.history - 1] if turn.history else recording.start_ns
    answered_ns = recording.times_ns[turn.history]
    tool_spans = list(_tool_spans(recording, number, turn, answered_ns))
    yield _span(
        recording,
        f"iteration {number}",
        key=f"iteration {number}",
        parent="run",
        start_ns=start_ns,
        end_ns=max([answered_ns, *(span.end_time_unix_nano for span in tool_spans)]),
        attributes={names.KIND: "iteration", names.ITERATION: number},
    )
    yield _span(
        recording,
        f"chat {turn.model}".strip(),
        key=f"model call {number}",
        parent=f"iteration {number}",
        start_ns=start_ns,
        end_ns=answered_ns,
        attributes={names.ITERATION: number, **_model_call(recording, turn)},
    )
    yield from tool_spans


def _model_call(recording: Recording, turn: Turn) -> dict[str, Attribute | None]:
    transcript = recording.transcript
    attributes: dict[str, Attribute | None] = {
        names.OPERATION_NAME: names.OPERATION_CHAT,
        names.REQUEST_MODEL: turn.model,
        names.INPUT_TOKENS: turn.input_tokens,
        names.OUTPUT_TOKENS: turn.output_tokens,
        names.FINISH_REASONS: ("tool_call",) if turn.tool_calls else ("stop",),
    }
    if recording.has_content:
        attributes[names.INPUT_MESSAGES] = json.dumps(transcript.messages[: turn.history])
        attributes[names.OUTPUT_MESSAGES] = json.dumps([transcript.messages[turn.history]])
        if transcript.system:
            attributes[names.SYSTEM_INSTRUCTIONS] = json.dumps([{"type": "text", "content": transcript.system}])
    return attributes


def _tool_spans(recording: Recording, number: int, turn: Turn, asked_ns: int) -> Iterator[Span]:
    start_ns = asked_ns
    for index, call in enumerate(turn.tool_calls):
        end_ns = start_ns if call.answered_at is None else recording.times_ns[call.answered_at]
        span = _span(
            recording,
            f"execute_tool {call.tool}",
            key=f"tool call {number} {index}",
            parent=f"iteration {number}",
            start_ns=start_ns,
            end_ns=end_ns,
            attributes={names.ITERATION: number, **_tool_call(recording, call)},
        )
        if call.outcome == "error":
            span.status.code = Status.STATUS_CODE_ERROR
            span.status.message = (call.result or "the file holds no result")[:500] if recording.has_content else ""
        yield span
        start_ns = end_ns


def _tool_call(recording: Recording, call: ToolCall) -> dict[str, Attribute | None]:
    result = call.result or ""
    attributes: dict[str, Attribute | None] = {
        names.OPERATION_NAME: names.OPERATION_EXECUTE_TOOL,
        names.TOOL_NAME: call.tool,
        names.TOOL_CALL_ID: call.call_id,
        names.TOOL_OUTCOME: call.outcome,
        names.TOOL_ARGUMENTS_HASH: _digest(call.arguments),
        names.TOOL_ARGUMENTS_BYTES: len(call.arguments.encode()),
        names.TOOL_RESULT_HASH: _digest(result),
        names.TOOL_RESULT_BYTES: len(result.encode()),
        names.ERROR_TYPE: _error_type(call),
    }
    if recording.has_content:
        attributes[names.TOOL_ARGUMENTS] = call.arguments
        attributes[names.TOOL_RESULT] = result
    return attributes


def _error_type(call: ToolCall) -> str | None:
    if call.outcome != "error":
        return None
    return "tool_error" if call.result is not None else "no_result"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
