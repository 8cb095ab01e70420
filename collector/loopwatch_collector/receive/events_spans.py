"""Events and request records as the spans a tracing agent would have sent.

Ids are hashes of the sender's own, so that the same event is the same span however often it comes, and to whichever
collector. Every event is a span by itself; which result belongs to which call, and how and when the run ended, is
found where all of them are: in the store, by `event_parts`.
"""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from loopwatch import names
from loopwatch_collector import event_parts
from loopwatch_collector.receive import events_data as data
from loopwatch_collector.receive.events_body import Event, RequestRecord, ns_of

SENT_TRACE_ID: Final = "loopwatch.event.trace_id"
_HEX: Final = frozenset("0123456789abcdef")
_STEPS: Final = {"plan": "plan", "observation": "observe"}
_OUTCOMES: Final = frozenset({"completed", "escalated", "failed", "stopped"})
_TOOL_OUTCOMES: Final = frozenset({"success", "not_found", "error"})

# Of a tool call in a record that says nothing of how long it took.
_LEAST_SLOT_NS: Final = 2_000
_GAP_NS: Final = 1_000

Attribute = str | int | float | list[str] | None


def trace_id_of(sent: str) -> bytes:
    """16 bytes for a trace id of any form: its own when it is 32 hex digits, else a hash of it."""
    plain = sent.strip().lower().replace("-", "")
    if len(plain) == 32 and _HEX.issuperset(plain) and plain.strip("0"):
        return bytes.fromhex(plain)
    return hashlib.blake2b(sent.encode("utf-8", "replace"), digest_size=16, person=b"loopwatch-trace").digest()


def run_id_of_request(request_id: str) -> str:
    """The id of the run a record of a whole request becomes."""
    return _trace_id_of_request(request_id).hex()


def _trace_id_of_request(request_id: str) -> bytes:
    return trace_id_of(f"request {request_id}")


def event_id_of(event: Event) -> bytes:
    """8 bytes that tell an event from the others of its trace: of its own id, else of all it says."""
    return _digest("event", event.trace_id, event.identity)


def spans_of_event(event: Event) -> Iterator[Span]:
    """The spans one event tells of.

    Args:
        event: what happened.
    """
    maker = _Maker(event, trace_id_of(event.trace_id), event.trace_id)
    end_ns = ns_of(event.timestamp)
    start_ns = max(1, end_ns - ns_of(event.latency_ms))
    event_id = event_id_of(event)
    has_model_call = event.event_type != "tool_result" and (event.model is not None or event.tokens_used is not None)
    if has_model_call:
        yield maker.span("chat", _digest(event_id, "model"), start_ns, end_ns, _model_call(event))
    elif event.event_type in _STEPS:
        yield maker.span(_STEPS[event.event_type], _digest(event_id, "step"), start_ns, end_ns, _step(event))
    if event.event_type == "tool_call":
        yield _tool_call(maker, event, _digest(event_id, "tool"), end_ns if has_model_call else start_ns)
    elif event.event_type == "tool_result":
        yield _tool_result(maker, event, _digest(event_id, "tool"), start_ns, end_ns)
    elif event.event_type == "response":
        yield _response(maker, event, _digest(event_id, "response"), start_ns, end_ns)


def spans_of_request(record: RequestRecord, start_ns: int) -> Iterator[Span]:
    """The spans of one finished request: its run, its model call, its tool calls.

    A record tells no more than how long all of it took: the tool calls are taken to have followed each other, each
    as long as the others, after the time it took to ask for the first.

    Args:
        record: the record.
        start_ns: when it began, ns since the epoch; the same for a record that comes again.
    """
    maker = _Maker(record, _trace_id_of_request(record.request_id), record.request_id)
    pairs = list(data.paired(record.tool_calls, record.tool_results))
    slot_ns = max(_LEAST_SLOT_NS, ns_of(record.latency_ms) // (len(pairs) + 2))
    # The last slot is the answer's.
    end_ns = max(start_ns + ns_of(record.latency_ms), start_ns + slot_ns * (len(pairs) + 2) if pairs else 0)
    yield _run_of_request(maker, record, start_ns, end_ns)
    model_id = _digest(maker.root_id, "model")
    if record.model:
        yield maker.span("chat", model_id, start_ns, end_ns, _model_call_of_request(record))
    else:
        # Nothing to price, but perhaps a cost the sender knows: it belongs to the run as a whole.
        yield maker.span("iteration 1", model_id, start_ns, end_ns, _iteration_of_request(record))
    for index, (call, result) in enumerate(pairs):
        attributes = _tool_attributes(
            data.tool_of(call) or data.name_in(result), data.call_id_in(call) or data.call_id_in(result)
        )
        attributes[names.TOOL_ARGUMENTS] = data.arguments_in(call)
        begin_ns = start_ns + slot_ns * (index + 1)
        tool_id = _digest(maker.root_id, f"tool {index}")
        # It ends before the next begins, so that what happened is in the order of the record.
        tool = maker.span("execute_tool", tool_id, begin_ns, begin_ns + slot_ns - _GAP_NS, attributes)
        _add_result(tool, result)
        yield tool


def _run_of_request(maker: "_Maker", record: RequestRecord, start_ns: int, end_ns: int) -> Span:
    failed = bool(record.error)
    run = maker.span(
        f"invoke_agent {record.agent or ''}".strip(),
        maker.root_id,
        start_ns,
        end_ns,
        {
            names.OPERATION_NAME: names.OPERATION_INVOKE_AGENT,
            names.OUTCOME: record.outcome or ("failed" if failed else "completed"),
            names.INPUT: data.content(record.user_query),
            names.OUTPUT: data.content(record.final_response),
            **({} if record.model else _usage_of_request(record)),
        },
        parent=b"",
    )
    if failed:
        run.status.CopyFrom(Status(code=Status.STATUS_CODE_ERROR, message=record.error or ""))
    return run


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


def _response(maker: _Maker, event: Event, span_id: bytes, start_ns: int, end_ns: int) -> Span:
    error = data.field(event.data, "error")
    outcome = event.outcome or data.field(event.data, "outcome")
    attributes: dict[str, Attribute] = {
        names.OPERATION_NAME: names.OPERATION_INVOKE_AGENT,
        names.OUTCOME: outcome if _is_one_of(outcome, _OUTCOMES) else "failed" if error else None,
        names.OUTPUT: data.text_of(event.data) or data.content(event.data),
        event_parts.PART: event_parts.RESPONSE,
    }
    response = maker.span(f"invoke_agent {event.agent or ''}".strip(), span_id, start_ns, end_ns, attributes)
    if error:
        response.status.CopyFrom(Status(code=Status.STATUS_CODE_ERROR, message=data.content(error) or ""))
    return response


def _step(event: Event) -> dict[str, Attribute]:
    step = _STEPS[event.event_type]
    return {names.KIND: "step", names.STEP: step, names.OUTPUT: data.text_of(event.data) or data.content(event.data)}


def _model_call(event: Event) -> dict[str, Attribute]:
    tokens = event.tokens_used
    said = data.text_of(event.data)
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


def _tool_call(maker: _Maker, event: Event, span_id: bytes, start_ns: int) -> Span:
    attributes = {
        **_tool_attributes(data.tool_of(event.data), data.call_id_in(event.data)),
        names.TOOL_ARGUMENTS: data.arguments_in(event.data),
        event_parts.PART: event_parts.CALL,
    }
    return maker.span("execute_tool", span_id, start_ns, start_ns, attributes)


def _tool_result(maker: _Maker, event: Event, span_id: bytes, start_ns: int, end_ns: int) -> Span:
    attributes = {
        **_tool_attributes(data.name_in(event.data), data.call_id_in(event.data)),
        event_parts.PART: event_parts.RESULT,
    }
    span = maker.span("execute_tool", span_id, start_ns, end_ns, attributes)
    _add_result(span, event.data)
    return span


def _tool_attributes(tool: str, call_id: str) -> dict[str, Attribute]:
    return {
        names.OPERATION_NAME: names.OPERATION_EXECUTE_TOOL,
        names.TOOL_NAME: tool or event_parts.UNKNOWN_TOOL,
        names.TOOL_CALL_ID: call_id,
    }


def _add_result(span: Span, result: Any) -> None:
    named = (data.field(result, name) for name in ("result", "output", "content", "data", "observation"))
    found = next((value for value in named if value is not None), result)
    error = data.field(result, "error")
    outcome = data.field(result, "outcome")
    is_marked = any(data.field(result, name) is True for name in ("isError", "is_error"))
    span.attributes.extend(
        _pairs(
            {
                names.TOOL_RESULT: data.content(found),
                names.TOOL_OUTCOME: outcome if _is_one_of(outcome, _TOOL_OUTCOMES) else None,
            }
        )
    )
    if error or is_marked or outcome == "error" or data.field(result, "success") is False:
        message = (data.content(error) or data.content(found) or "")[:500]
        span.status.CopyFrom(Status(code=Status.STATUS_CODE_ERROR, message=message))


def _is_one_of(word: Any, words: frozenset[str]) -> bool:
    return isinstance(word, str) and word in words


def _messages(*parts: tuple[str, Any], role: str = "assistant") -> str:
    said = [{"type": kind, "content": data.text_of(value) or data.content(value)} for kind, value in parts if value]
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
