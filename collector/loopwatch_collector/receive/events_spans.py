"""Events and request records as the spans a tracing agent would have sent.

Ids are hashes of the sender's own, so that the same event is the same span however often it comes. Every span's
parent is the run's, which is sent when a `response` tells that the run ended; until then the run is open.
"""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

import orjson
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from loopwatch import names
from loopwatch_collector.receive.events_body import Event, RequestRecord, ns_of
from loopwatch_collector.receive.events_traces import ToolCall, Trace, text_of

SCOPE: Final = "loopwatch.events"
SENT_TRACE_ID: Final = "loopwatch.event.trace_id"
# On a tool call's span: which event brought its result. Absent while it waits.
RESULT_EVENT: Final = "loopwatch.event.result"
_HEX: Final = frozenset("0123456789abcdef")
_STEPS: Final = {"plan": "plan", "observation": "observe"}
_OUTCOMES: Final = frozenset({"completed", "escalated", "failed", "stopped"})

Attribute = str | int | float | list[str] | None


def trace_id_of(sent: str) -> bytes:
    """16 bytes for a trace id of any form: its own when it is 32 hex digits, else a hash of it."""
    plain = sent.strip().lower().replace("-", "")
    if len(plain) == 32 and _HEX.issuperset(plain) and plain.strip("0"):
        return bytes.fromhex(plain)
    return hashlib.blake2b(sent.encode("utf-8", "replace"), digest_size=16, person=b"loopwatch-trace").digest()


def event_id_of(event: Event) -> bytes:
    """8 bytes that tell an event from the others of its trace: of its own id, else of all it says."""
    return _digest("event", event.trace_id, event.identity)


def spans_of_event(event: Event, trace: Trace) -> Iterator[Span]:
    """The spans one event adds or completes.

    Args:
        event: what happened.
        trace: what is known of its run; what the event tells is added.
    """
    maker = _Maker(event, trace_id_of(event.trace_id), event.trace_id)
    end_ns = ns_of(event.timestamp)
    start_ns = max(1, end_ns - ns_of(event.latency_ms))
    trace.see(start_ns)
    event_id = event_id_of(event)
    if event.event_type == "tool_result":
        yield _tool_result(maker, event, trace, event_id, start_ns)
        return
    has_model_call = event.model is not None or event.tokens_used is not None
    if has_model_call:
        yield maker.span("chat", _digest(event_id, "model"), start_ns, end_ns, _model_call(event))
    elif event.event_type in _STEPS:
        yield maker.span(_STEPS[event.event_type], _digest(event_id, "step"), start_ns, end_ns, _step(event))
    if event.event_type == "tool_call":
        yield from _tool_call(maker, event, trace, event_id, end_ns if has_model_call else start_ns)
    if event.event_type == "response":
        trace.is_rooted = True
        yield _run(maker, event, trace, end_ns)


def spans_of_request(record: RequestRecord, trace: Trace) -> Iterator[Span]:
    """The spans of one finished request: its run, its model call, its tool calls.

    Args:
        record: the record.
        trace: holds when it began; the same for a record that comes again.
    """
    maker = _Maker(record, trace_id_of(f"request {record.request_id}"), record.request_id)
    start_ns = trace.start_ns
    end_ns = start_ns + ns_of(record.latency_ms)
    trace.is_rooted = True
    failed = bool(record.error)
    run = maker.span(
        f"invoke_agent {record.agent or ''}".strip(),
        maker.root_id,
        start_ns,
        end_ns,
        {
            names.OPERATION_NAME: names.OPERATION_INVOKE_AGENT,
            names.OUTCOME: record.outcome or ("failed" if failed else "completed"),
            names.INPUT: _content(record.user_query),
            names.OUTPUT: _content(record.final_response),
            **({} if record.model else _usage_of_request(record)),
        },
        parent=b"",
    )
    if failed:
        run.status.CopyFrom(Status(code=Status.STATUS_CODE_ERROR, message=record.error or ""))
    yield run
    model_id = _digest(maker.root_id, "model")
    if record.model:
        yield maker.span("chat", model_id, start_ns, end_ns, _model_call_of_request(record))
    else:
        # Nothing to price, but perhaps a cost the sender knows: it belongs to the run as a whole.
        yield maker.span("iteration 1", model_id, start_ns, end_ns, _iteration_of_request(record))
    for index, (call, result) in enumerate(_paired(record.tool_calls, record.tool_results)):
        attributes = _tool_attributes(_tool_of(call) or _name_in(result), _call_id_in(call) or _call_id_in(result))
        attributes[names.TOOL_ARGUMENTS] = _arguments_in(call)
        tool = maker.span("execute_tool", _digest(maker.root_id, f"tool {index}"), start_ns, start_ns, attributes)
        _add_result(tool, result)
        yield tool


class _Maker:
    """Makes spans of one run that share whose it is."""

    def __init__(self, record: Event | RequestRecord, trace_id: bytes, sent_id: str) -> None:
        self.trace_id = trace_id
        self.root_id = _digest(trace_id, "run")
        self._shared: dict[str, Attribute] = {
            names.CONVERSATION_ID: record.conversation_id,
            names.CUSTOMER_ID: record.customer_id,
            names.USER_ID: record.user_id,
            names.AGENT_NAME: record.agent,
            names.AGENT_VERSION: record.agent_version,
            names.ENVIRONMENT: record.environment,
            names.TAGS: record.tags or None,
            SENT_TRACE_ID: sent_id if sent_id != trace_id.hex() else None,
        }

    def span(
        self,
        name: str,
        span_id: bytes,
        start_ns: int,
        end_ns: int,
        attributes: Mapping[str, Attribute],
        parent: bytes | None = None,
    ) -> Span:
        """One span below the run's own, unless `parent` says otherwise."""
        detail = attributes.get(names.TOOL_NAME) or attributes.get(names.REQUEST_MODEL)
        return Span(
            trace_id=self.trace_id,
            span_id=span_id,
            parent_span_id=self.root_id if parent is None else parent,
            name=f"{name} {detail}" if detail else name,
            start_time_unix_nano=start_ns,
            end_time_unix_nano=max(start_ns, end_ns),
            attributes=_pairs({**self._shared, **attributes}),
        )


def _run(maker: _Maker, event: Event, trace: Trace, end_ns: int) -> Span:
    error = _field(event.data, "error")
    outcome = event.outcome or _field(event.data, "outcome")
    run = maker.span(
        f"invoke_agent {event.agent or ''}".strip(),
        maker.root_id,
        trace.start_ns,
        end_ns,
        {
            names.OPERATION_NAME: names.OPERATION_INVOKE_AGENT,
            names.OUTCOME: outcome if outcome in _OUTCOMES else "failed" if error else None,
            names.OUTPUT: text_of(event.data) or _content(event.data),
        },
        parent=b"",
    )
    if error:
        run.status.CopyFrom(Status(code=Status.STATUS_CODE_ERROR, message=_content(error) or ""))
    return run


def _step(event: Event) -> dict[str, Attribute]:
    step = _STEPS[event.event_type]
    return {names.KIND: "step", names.STEP: step, names.OUTPUT: text_of(event.data) or _content(event.data)}


def _model_call(event: Event) -> dict[str, Attribute]:
    tokens = event.tokens_used
    said = text_of(event.data)
    return {
        names.OPERATION_NAME: names.OPERATION_CHAT,
        names.REQUEST_MODEL: event.model,
        names.STEP: _STEPS.get(event.event_type),
        names.INPUT_TOKENS: tokens.input if tokens else None,
        names.OUTPUT_TOKENS: tokens.output if tokens else None,
        names.CACHE_READ_TOKENS: (tokens.cacheRead or None) if tokens else None,
        names.CACHE_WRITE_TOKENS: (tokens.cacheWrite or None) if tokens else None,
        names.OUTPUT_MESSAGES: _messages(("text", said)) if said else None,
    }


def _usage_of_request(record: RequestRecord) -> dict[str, Attribute]:
    input_tokens = record.input_tokens
    if input_tokens is None and record.total_tokens is not None:
        input_tokens = max(0, record.total_tokens - (record.output_tokens or 0))
    return {
        names.INPUT_TOKENS: input_tokens,
        names.OUTPUT_TOKENS: record.output_tokens,
        "gen_ai.usage.cost": record.cost_usd,
    }


def _said_in_request(record: RequestRecord) -> dict[str, Attribute]:
    said = (("reasoning", record.claude_reasoning), ("text", record.final_response))
    return {
        names.INPUT_MESSAGES: _messages(("text", record.user_query), role="user") if record.user_query else None,
        names.OUTPUT_MESSAGES: _messages(*said) if any(value for _, value in said) else None,
    }


def _model_call_of_request(record: RequestRecord) -> dict[str, Attribute]:
    return {
        names.OPERATION_NAME: names.OPERATION_CHAT,
        names.REQUEST_MODEL: record.model,
        **_usage_of_request(record),
        **_said_in_request(record),
    }


def _iteration_of_request(record: RequestRecord) -> dict[str, Attribute]:
    return {names.KIND: "iteration", names.ITERATION: 1, **_said_in_request(record)}


def _tool_call(maker: _Maker, event: Event, trace: Trace, event_id: bytes, start_ns: int) -> Iterator[Span]:
    told = ToolCall(
        span_id=_digest(event_id, "tool"),
        start_ns=start_ns,
        tool=_tool_of(event.data),
        call_id=_call_id_in(event.data),
        arguments=_arguments_in(event.data),
    )
    call = trace.begin(told)
    if call is not None:
        yield _answered(maker, call, call.orphan) if call.orphan else _of_call(maker, call, call.start_ns, {})


def _tool_result(maker: _Maker, event: Event, trace: Trace, event_id: bytes, start_ns: int) -> Span:
    told = ToolCall(_digest(event_id, "tool"), start_ns, _name_in(event.data), _call_id_in(event.data))
    return _answered(maker, trace.end(event_id, told, event), event)


def _answered(maker: _Maker, call: ToolCall, event: Event) -> Span:
    span = _of_call(maker, call, ns_of(event.timestamp), {RESULT_EVENT: call.result_of.hex()})
    _add_result(span, event.data)
    return span


def _of_call(maker: _Maker, call: ToolCall, end_ns: int, more: Mapping[str, Attribute]) -> Span:
    attributes = {**_tool_attributes(call.tool, call.call_id), names.TOOL_ARGUMENTS: call.arguments, **more}
    return maker.span("execute_tool", call.span_id, call.start_ns, end_ns, attributes)


def _tool_attributes(tool: str, call_id: str) -> dict[str, Attribute]:
    return {
        names.OPERATION_NAME: names.OPERATION_EXECUTE_TOOL,
        names.TOOL_NAME: tool or "unknown",
        names.TOOL_CALL_ID: call_id,
    }


def _add_result(span: Span, result: Any) -> None:
    named = (_field(result, name) for name in ("result", "output", "content", "data", "observation"))
    found = next((value for value in named if value is not None), result)
    error = _field(result, "error")
    outcome = _field(result, "outcome")
    is_error = bool(error) or True in {_field(result, "isError"), _field(result, "is_error")} or outcome == "error"
    span.attributes.extend(
        _pairs(
            {
                names.TOOL_RESULT: _content(found),
                names.TOOL_OUTCOME: outcome if outcome in {"success", "not_found", "error"} else None,
            }
        )
    )
    if is_error or _field(result, "success") is False:
        message = (_content(error) or _content(found) or "")[:500]
        span.status.CopyFrom(Status(code=Status.STATUS_CODE_ERROR, message=message))


def _paired(calls: list[Any], results: list[Any]) -> Iterator[tuple[Any, Any]]:
    """Calls with their results: by call id, else by the tool's name, else in order."""
    left = list(results)
    for call in calls:
        call_id, name = _call_id_in(call), _tool_of(call)
        by_id = (result for result in left if call_id and _call_id_in(result) == call_id)
        by_name = (result for result in left if name and _name_in(result) == name)
        unnamed = (result for result in left if not _name_in(result) and not _call_id_in(result))
        result = next((result for group in (by_id, by_name, unnamed) for result in group), None)
        if result is not None:
            left.remove(result)
        yield call, result
    for result in left:
        yield None, result


def _field(data: Any, name: str) -> Any:
    return cast("dict[str, Any]", data).get(name) if isinstance(data, dict) else None


def _tool_of(call: Any) -> str:
    return call[:256] if isinstance(call, str) else _name_in(call)


def _name_in(data: Any) -> str:
    function = _field(data, "function")
    found = (_field(data, name) for name in ("tool", "name", "toolName", "tool_name"))
    return next((text[:256] for text in found if isinstance(text, str)), "") or (_name_in(function) if function else "")


def _call_id_in(data: Any) -> str:
    found = (_field(data, name) for name in ("toolCallId", "tool_call_id", "tool_use_id", "callId", "call_id", "id"))
    return next((str(one)[:256] for one in found if isinstance(one, str | int)), "")


def _arguments_in(data: Any) -> str | None:
    for name in ("arguments", "args", "input", "parameters", "params"):
        found = _field(data, name)
        if found is not None:
            return _content(found)
    function = _field(data, "function")
    return _arguments_in(function) if function else None


def _content(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value or None
    return orjson.dumps(value).decode()


def _messages(*parts: tuple[str, Any], role: str = "assistant") -> str:
    said = [{"type": kind, "content": text_of(value) or _content(value)} for kind, value in parts if value]
    return orjson.dumps([{"role": role, "parts": said}]).decode()


def _digest(*parts: str | bytes) -> bytes:
    digest = hashlib.blake2b(digest_size=8, person=b"loopwatch-event")
    for part in parts:
        raw = part.encode("utf-8", "replace") if isinstance(part, str) else part
        digest.update(len(raw).to_bytes(4, "big") + raw)
    return digest.digest()


def _pairs(attributes: Mapping[str, Attribute]) -> list[KeyValue]:
    return [
        KeyValue(key=key, value=_any(value)) for key, value in attributes.items() if value is not None and value != ""
    ]


def _any(value: str | float | list[str]) -> AnyValue:
    if isinstance(value, str):
        return AnyValue(string_value=value)
    if isinstance(value, list):
        return AnyValue(array_value=ArrayValue(values=[AnyValue(string_value=item) for item in value]))
    return AnyValue(int_value=value) if isinstance(value, int) else AnyValue(double_value=value)
