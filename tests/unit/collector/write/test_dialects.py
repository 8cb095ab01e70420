"""Spans of other libraries as rows: what each attribute means, and what follows from kind and dialect."""

import json
from decimal import Decimal
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from loopwatch_collector.journal.record import Record
from loopwatch_collector.store.rows import SPAN_COLUMNS
from loopwatch_collector.write import dialects
from loopwatch_collector.write.contents import Contents
from loopwatch_collector.write.decode import Rows, add_rows
from loopwatch_collector.write.lean_spans import lean
from loopwatch_collector.write.normalise import blank_of, normalise, origin_of
from tests.compat.payload import Payload, read_all

PAYLOADS = read_all()
START_NS = 1_790_000_000 * 10**9


def _pair(key: str, value: Any) -> KeyValue:
    if isinstance(value, bool):
        return KeyValue(key=key, value=AnyValue(bool_value=value))
    if isinstance(value, int):
        return KeyValue(key=key, value=AnyValue(int_value=value))
    if isinstance(value, float):
        return KeyValue(key=key, value=AnyValue(double_value=value))
    if isinstance(value, list):
        items = [AnyValue(string_value=item) for item in value]
        return KeyValue(key=key, value=AnyValue(array_value=ArrayValue(values=items)))
    return KeyValue(key=key, value=AnyValue(string_value=value if isinstance(value, str) else json.dumps(value)))


def _row(
    attributes: dict[str, Any],
    *,
    scope: str = "",
    name: str = "span",
    parent: bytes = b"\x09" * 8,
    status: Status | None = None,
    events: list[tuple[str, dict[str, Any]]] | None = None,
) -> dict[str, Any]:
    """The row of one span, by column; `contents` holds its bodies by role."""
    span = Span(
        trace_id=b"\x01" * 16,
        span_id=b"\x02" * 8,
        parent_span_id=parent,
        name=name,
        start_time_unix_nano=START_NS,
        end_time_unix_nano=START_NS + 10**9,
        attributes=[_pair(key, value) for key, value in attributes.items()],
        status=status,
        events=[
            Span.Event(name=event, attributes=[_pair(key, value) for key, value in found.items()])
            for event, found in events or []
        ],
    )
    contents = Contents(set())
    values = normalise(lean(span), blank_of(origin_of(Resource(), "p", 1), scope), contents)
    row = dict(zip((column.name for column in SPAN_COLUMNS), values, strict=True))
    bodies = {digest: body for (_, _, digest, _), body in contents.bodies.items()}
    row["contents"] = {
        role: [
            _text(bodies[digest])
            for at, digest in zip(row["content_roles"], row["content_hashes"], strict=True)
            if at == role
        ]
        for role in row["content_roles"]
    }
    return row


def _text(body: str | bytes) -> str:
    return body.decode() if isinstance(body, bytes) else body


def _dialects_of(payload: Payload) -> set[str]:
    return {
        normalise(lean(span), blank_of(origin_of(part.resource, "p", 1), scope_spans.scope.name), Contents(set()))[
            DIALECT
        ]
        for request in payload.trace_requests()
        for part in request.resource_spans
        for scope_spans in part.scope_spans
        for span in scope_spans.spans
    }


DIALECT = [column.name for column in SPAN_COLUMNS].index("dialect")


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda payload: payload.name)
def test_real_spans_are_recognised(payload: Payload) -> None:
    """A library's spans are read as its dialect; beside it only the client's own and the application's occur."""
    found = _dialects_of(payload)
    assert payload.dialect in found
    assert found <= {payload.dialect, "anthropic", ""}


def test_every_dialect_was_seen_or_is_marked() -> None:
    """A dialect without a recorded payload is marked as known from documents only."""
    seen = {payload.dialect for payload in PAYLOADS}
    assert dialects.all_dialects() - seen - {"loopwatch"} == dialects.KNOWN_FROM_DOCUMENTS


@pytest.mark.parametrize(
    ("attributes", "scope", "expected"),
    [
        (
            {
                "gen_ai.operation.name": "chat",
                "gen_ai.usage.prompt_tokens": "12",
                "gen_ai.usage.completion_tokens": 3.0,
            },
            "",
            {"kind": "model_call", "input_tokens": 12, "output_tokens": 3},
        ),
        (
            {"gen_ai.operation.name": "chat", "gen_ai.system": "gemini", "gen_ai.response.finish_reasons": '["stop"]'},
            "",
            {"provider": "gcp.gemini", "stop_reason": "stop"},
        ),
        (
            {"openinference.span.kind": "LLM", "llm.token_count.prompt": 10, "llm.token_count.total": 14},
            "openinference.x",
            {"dialect": "openinference", "input_tokens": 10, "output_tokens": 4},
        ),
        (
            {"openinference.span.kind": "LLM", "output.value": {"id": "msg_1", "usage": {"input_tokens": 3}}},
            "openinference.x",
            {"response_id": "msg_1", "input_tokens": 3, "call_key": f"{'01' * 16}:msg_1"},
        ),
        (
            {
                "langfuse.observation.type": "generation",
                "langfuse.observation.usage_details": {"input": 5, "cache_read_input_tokens": 7, "output": 2},
                "langfuse.observation.cost_details": {"input": 0.1, "total": 0.25},
                "langfuse.observation.completion_start_time": '"2026-09-21T14:13:20.500000+00:00"',
            },
            "langfuse-sdk",
            {
                "input_tokens": 12,
                "cache_read_tokens": 7,
                "output_tokens": 2,
                "reported_cost_usd": Decimal("0.25"),
                "ttft_ns": 500_000_000,
            },
        ),
        (
            {
                "mlflow.spanType": '"CHAT_MODEL"',
                "mlflow.chat.tokenUsage": {"input_tokens": 9, "cache_read_input_tokens": 4},
            },
            "mlflow.x",
            {"kind": "model_call", "input_tokens": 9, "cache_read_tokens": 4},
        ),
        (
            {"span.type": "llm_request", "model": "claude-haiku-4-5", "input_tokens": 1, "cache_read_tokens": 9},
            "com.anthropic.claude_code.tracing",
            {"dialect": "claude_code", "input_tokens": 10, "cache_read_tokens": 9},
        ),
        (
            {"ai.operationId": "ai.embed.doEmbed", "ai.usage.tokens": 6, "ai.model.provider": "anthropic.messages"},
            "ai",
            {"kind": "model_call", "input_tokens": 6, "provider": "anthropic"},
        ),
        (
            {"genkit:metadata:subtype": "model", "genkit:output": {"usage": {"inputTokens": 4.0, "outputTokens": 2.0}}},
            "genkit-tracer",
            {"kind": "model_call", "input_tokens": 4, "output_tokens": 2},
        ),
        (
            {"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens.cached": 3, "gen_ai.usage.input_tokens": 5},
            "sentry.x",
            {"dialect": "sentry", "input_tokens": 5, "cache_read_tokens": 3},
        ),
        (
            {
                "mlflow.spanType": '"CHAT_MODEL"',
                "mlflow.llm.provider": '"anthropic"',
                "mlflow.trace.session": '"sess-7"',
                "mlflow.trace.user": '"u7"',
            },
            "mlflow.x",
            {"provider": "anthropic", "conversation_id": "sess-7", "user_id": "u7"},
        ),
        (
            {"openinference.span.kind": "LLM", "llm.cost.prompt": 0.1, "llm.cost.completion": "0.2"},
            "openinference.x",
            {"reported_cost_usd": Decimal("0.3")},
        ),
        (
            {"openinference.span.kind": "LLM", "llm.cost.prompt": 0.1, "llm.cost.total": 0.4},
            "openinference.x",
            {"reported_cost_usd": Decimal("0.4")},
        ),
        (
            {
                "langsmith.span.kind": "llm",
                "gen_ai.usage.output_tokens": 20,
                "gen_ai.usage.output_token_details": {"reasoning": 7},
            },
            "langsmith",
            {"output_tokens": 20, "reasoning_tokens": 7},
        ),
        (
            {
                "langsmith.span.kind": "llm",
                "gen_ai.usage.output_tokens": 20,
                "gen_ai.usage.output_token_details": "{'reasoning': 7, 'audio': None}",
            },
            "langsmith",
            {"reasoning_tokens": 7},
        ),
        (
            {"llm.request.type": "rerank", "gen_ai.request.model": "r", "gen_ai.usage.input_tokens": 9},
            "opentelemetry.instrumentation.cohere",
            {"kind": "other", "dialect": "traceloop"},
        ),
        (
            {"ai.operationId": "ai.generateText.doGenerate", "ai.response.toolCalls": '[{"toolName":"grep"}]'},
            "ai",
            {"contents": {"output": ['{"toolName":"grep"}']}},
        ),
        (
            {
                "openinference.span.kind": "LLM",
                "evaluations.0.evaluation.name": "relevance",
                "evaluations.0.evaluation.score": 0.4,
                "annotations.0.annotation.label": "good",
            },
            "openinference.x",
            {
                "event_names": ["gen_ai.evaluation.result"] * 2,
                "event_times": [START_NS + 10**9] * 2,
                "event_attributes": [
                    {"gen_ai.evaluation.score.label": "good"},
                    {"gen_ai.evaluation.name": "relevance", "gen_ai.evaluation.score.value": "0.4"},
                ],
            },
        ),
        ({"gen_ai.operation.name": "execute_event_loop_cycle"}, "strands.telemetry.tracer", {"kind": "iteration"}),
        ({"gen_ai.operation.name": "invoke_agent"}, "com.anthropic.sdk.python", {"kind": "run", "agent": ""}),
    ],
)
def test_attributes_mean_what_their_library_means(
    attributes: dict[str, Any], scope: str, expected: dict[str, Any]
) -> None:
    """Each library's names, numbers as text, JSON in text and ways of counting end in the same columns."""
    row = _row(attributes, scope=scope)
    assert {name: row[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("name", "agent"),
    [
        ("invoke_agent", ""),
        ("invoke_workflow", ""),
        ("invoke_agent resolver", "resolver"),
        ("invoke_workflow nightly report", "nightly report"),
        ("resolver", "resolver"),
    ],
)
def test_an_agent_is_named_by_what_follows_the_operation(name: str, agent: str) -> None:
    """A span named by the operation alone names no agent, so that its service stands in for one."""
    assert _row({"gen_ai.operation.name": "invoke_agent"}, name=name)["agent"] == agent


@pytest.mark.parametrize(
    ("result", "outcome"),
    [
        ('{"rows": [1]}', "success"),
        ("plain text", "success"),
        ("[]", "not_found"),
        ("null", "not_found"),
        ('{"lines": [], "minutes": 30}', "not_found"),
        ('{"isError": true, "content": []}', "error"),
        ('{"error": "rate limit"}', "error"),
        ('{"error": null, "data": 1}', "success"),
        ('{"status": "error"}', "error"),
        ("{broken", "success"),
    ],
)
def test_results_tell_how_a_tool_call_ended(result: str, outcome: str) -> None:
    """Where the sender gives no outcome, the result's JSON does: an error, nothing found, else success."""
    row = _row({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "t", "gen_ai.tool.call.result": result})
    assert row["tool_outcome"] == outcome


def test_a_failed_span_is_a_tool_error_and_may_be_retryable() -> None:
    """An error status is an error whatever the result says; time-outs and overload are worth a retry."""
    tool = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "t"}
    failed = Status(code=Status.STATUS_CODE_ERROR, message="upstream timed out")
    row = _row(tool, status=failed)
    assert (row["tool_outcome"], row["tool_retryable"], row["error_message"]) == ("error", 1, "upstream timed out")
    assert _row(tool, status=Status(code=Status.STATUS_CODE_ERROR, message="no such column"))["tool_retryable"] is None


def test_what_the_sender_says_of_a_tool_call_is_not_judged() -> None:
    """An outcome in our words stands, whatever the result looks like."""
    row = _row({"loopwatch.kind": "tool_call", "loopwatch.tool.outcome": "success", "gen_ai.tool.call.result": "[]"})
    assert row["tool_outcome"] == "success"


@pytest.mark.parametrize("tool", ["transfer_to_human_agents", "escalate-ticket", "mcp.Human-Handoff"])
def test_a_hand_over_tool_escalates_the_run(tool: str) -> None:
    """A tool named like a hand-over gives the run its reason: the first text it was called with."""
    tool_call = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": tool}
    assert _row({**tool_call, "gen_ai.tool.call.arguments": {"n": 1, "why": "angry"}})["escalation_reason"] == "angry"
    assert _row(tool_call)["escalation_reason"] == tool
    failed = Status(code=Status.STATUS_CODE_ERROR)
    assert _row(tool_call, status=failed)["escalation_reason"] == ""
    assert _row({**tool_call, "loopwatch.run.id": "ours"})["escalation_reason"] == ""


def test_a_framework_limit_stops_the_run() -> None:
    """A run that failed with the exception by which its framework enforces a limit names that limit."""
    row = _row(
        {"gen_ai.operation.name": "invoke_agent", "error.type": "pydantic_ai.exceptions.UsageLimitExceeded"},
        status=Status(code=Status.STATUS_CODE_ERROR),
        parent=b"",
    )
    assert row["limit_name"] == "tokens"


def test_messages_in_span_events_become_content() -> None:
    """Messages that come as span events are the span's content, and do not stay in the events as well."""
    row = _row(
        {"gen_ai.operation.name": "chat"},
        scope="strands.telemetry.tracer",
        events=[
            ("gen_ai.user.message", {"content": "hi"}),
            ("gen_ai.choice", {"message": "hello", "finish_reason": "end_turn"}),
            ("gen_ai.client.inference.operation.details", {"gen_ai.system_instructions": "be kind"}),
        ],
    )
    assert row["contents"]["system"] == ["be kind"]
    assert json.loads(row["contents"]["input"][0]) == {"role": "user", "content": "hi"}
    assert json.loads(row["contents"]["output"][0]) == {"role": "assistant", "content": "hello"}
    assert row["stop_reason"] == "end_turn"
    assert row["event_attributes"] == [{}, {}, {}]


def test_spans_that_only_look_like_calls_are_none() -> None:
    """Logfire's span of a stream that began and ADK's span of merged tools count as no call; a failed one does."""
    stream = {"gen_ai.operation.name": "chat", "logfire.span_type": "span", "gen_ai.request.model": "m"}
    assert _row(stream, scope="logfire.anthropic")["kind"] == "other"
    failed = Status(code=Status.STATUS_CODE_ERROR)
    assert _row(stream, scope="logfire.anthropic", status=failed)["kind"] == "model_call"
    merged = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "(merged tools)"}
    assert _row(merged, scope="gcp.vertex.agent")["kind"] == "other"


def test_flat_messages_are_put_together() -> None:
    """Messages spelt out over attributes become messages again, in order, tool calls included."""
    row = _row(
        {
            "llm.request.type": "chat",
            "gen_ai.prompt.0.role": "user",
            "gen_ai.prompt.0.content": "hi",
            "gen_ai.completion.0.role": "assistant",
            "gen_ai.completion.0.tool_calls.0.name": "search",
        },
        scope="opentelemetry.instrumentation.x",
    )
    assert json.loads(row["contents"]["input"][0]) == {"role": "user", "content": "hi"}
    assert json.loads(row["contents"]["output"][0])["tool_calls"] == [{"name": "search"}]


def test_claude_codes_failed_execution_fails_the_tool_call() -> None:
    """The span below a tool's that tells how it ended makes the tool call an error; the others stay as they are."""
    request = ExportTraceServiceRequest()
    scope_spans = request.resource_spans.add().scope_spans.add()
    scope_spans.scope.name = "com.anthropic.claude_code.tracing"
    for number, message in ((1, "the backend timed out"), (2, "")):
        ids = {"trace_id": b"\x01" * 16, "start_time_unix_nano": START_NS, "end_time_unix_nano": START_NS + 1}
        tool = {"span.type": "tool", "gen_ai.tool.name": f"tool {number}"}
        said = {"span.type": "tool.execution", "success": not message, "error": message, "error.type": "tool_error"}
        scope_spans.spans.add(
            name="claude_code.tool",
            span_id=bytes([number] * 8),
            attributes=[_pair(*one) for one in tool.items()],
            **ids,
        )
        scope_spans.spans.add(
            name="claude_code.tool.execution",
            span_id=bytes([number + 8] * 8),
            parent_span_id=bytes([number] * 8),
            attributes=[_pair(*one) for one in said.items()],
            **ids,
        )
    rows = Rows(Contents(set()))
    add_rows(rows, Record("traces", "p", 1, "", 4, request.SerializeToString()))
    named = [dict(zip((column.name for column in SPAN_COLUMNS), values, strict=True)) for values in rows.spans]
    found = {row["tool"]: (row["tool_outcome"], row["error_message"], row["tool_retryable"]) for row in named}
    assert found["tool 1"] == ("error", "the backend timed out", 1)
    assert found["tool 2"] == ("success", "", None)


def test_what_is_not_kept_of_a_span_is_told() -> None:
    """Attributes and events beyond the caps are counted on the span, and texts that were cut."""
    many = {f"own.{number}": "x" for number in range(511)}
    row = _row({**many, "own.long": "x" * 50_000, "own.a": 1, "own.b": 2}, events=[("e", {})] * 300)
    told = {key: text for key, text in row["attributes"].items() if not key.startswith("own.")}
    assert told == {
        "loopwatch.dropped_attributes": "2",
        "loopwatch.dropped_events": "44",
        "loopwatch.cut_attributes": "1",
    }
    assert (len(row["event_names"]), len(row["attributes"])) == (256, 512 + 3)
    kept = _row({"own.a": 1}, events=[("e", {})])
    assert kept["attributes"] == {"own.a": "1"}
