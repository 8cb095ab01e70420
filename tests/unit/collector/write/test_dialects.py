"""Spans of other libraries as rows: what each attribute means, and what follows from kind and dialect."""

from decimal import Decimal
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from loopwatch_collector.store.rows import SPAN_COLUMNS
from loopwatch_collector.write import dialects
from loopwatch_collector.write.contents import Contents
from loopwatch_collector.write.lean_spans import lean
from loopwatch_collector.write.normalise import blank_of, normalise, origin_of
from tests.compat.payload import Payload, read_all
from tests.unit.collector.write.one_span import START_NS, row_of

PAYLOADS = read_all()


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
            {"response_id": "msg_1", "input_tokens": 3},
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
    row = row_of(attributes, scope=scope)
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
    assert row_of({"gen_ai.operation.name": "invoke_agent"}, name=name)["agent"] == agent


def test_spans_that_only_look_like_calls_are_none() -> None:
    """Logfire's span of a stream that began and ADK's span of merged tools count as no call; a failed one does."""
    stream = {"gen_ai.operation.name": "chat", "logfire.span_type": "span", "gen_ai.request.model": "m"}
    assert row_of(stream, scope="logfire.anthropic")["kind"] == "other"
    failed = Status(code=Status.STATUS_CODE_ERROR)
    assert row_of(stream, scope="logfire.anthropic", status=failed)["kind"] == "model_call"
    merged = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "(merged tools)"}
    assert row_of(merged, scope="gcp.vertex.agent")["kind"] == "other"
