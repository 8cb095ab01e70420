"""The alias table: for each field of ours, the attributes that carry it in any dialect, first present wins.

Order and names are those the libraries write; where one is known from documents only, tests/data/dialects says
so. A field is a column of `spans`, or a virtual one (`VIRTUAL`) that a later step turns into columns.
"""

from typing import Any, Final, NamedTuple

from loopwatch import names
from loopwatch_collector.store.rows import SPAN_COLUMNS, SPAN_INDEX
from loopwatch_collector.write import values
from loopwatch_collector.write.kinds import KIND_SOURCES
from loopwatch_collector.write.values import Reader


class Alias(NamedTuple):
    """Where an attribute goes.

    Attributes:
        slot: index into a row in the making: a column, or beyond them a virtual field.
        rank: its place among the attributes of that field; the lowest wins.
        read: how its value is read.
    """

    slot: int
    rank: int
    read: Reader


class Source(NamedTuple):
    """An attribute that is read otherwise than its field, or that only some dialects mean that way."""

    name: str
    read: Reader | None = None
    dialects: frozenset[str] = frozenset()


VIRTUAL: Final = (
    "cache_write_tokens",  # not split by lifetime
    "response_model",
    "agent_entity",  # a name whose meaning depends on the span's kind
    "tool_status",
    "success",
    "span_type",
    "level",
    "usage_details",  # JSON objects that hold several fields each
    "raw_usage",
    "provider_metadata",
    "token_details",
    "output_token_details",
    "chat_usage",
    "answer_usage",
    "cost_details",
    "prompt_cost",  # of the reported cost, where no total is told
    "completion_cost",
    "completion_start",
    "total_tokens",
    "input",
    "output",
    "system",
    "tools",
    "arguments",
    "result",
    "value_in",  # content whose role depends on the span's kind
    "value_out",
    "flat",  # attributes that spell a structure out, one per leaf
)
SLOTS: Final[dict[str, int]] = {**SPAN_INDEX, **{name: len(SPAN_COLUMNS) + i for i, name in enumerate(VIRTUAL)}}
FLAT_PREFIXES: Final = (
    "llm.input_messages.",
    "llm.output_messages.",
    "llm.tools.",
    "llm.request.functions.",
    "evaluations.",
    "annotations.",
    "gen_ai.prompt.",
    "gen_ai.completion.",
)
# Their names begin like flat ones.
_NOT_FLAT: Final = frozenset({names.PROMPT_NAME, names.PROMPT_VERSION})
_MEMO_KEYS: Final = 20_000
_MEMO_KEY_CHARS: Final = 256

_CLAUDE_CODE: Final = frozenset({"claude_code"})
_PYDANTIC: Final = frozenset({"pydantic_ai", "logfire"})
_STRANDS: Final = frozenset({"strands"})
_VERCEL: Final = frozenset({"vercel"})
_BARE_INPUT: Final = frozenset({"langsmith", "laminar", "genkit"})


def _claude(name: str, read: Reader | None = None) -> Source:
    return Source(name, read, _CLAUDE_CODE)


_TABLE: Final[tuple[tuple[str, Reader, tuple[str | Source, ...]], ...]] = (
    ("kind", values.text, tuple(Source(name, read) for name, read, _ in KIND_SOURCES)),
    # whose it is
    ("run_id", values.text, (names.RUN_ID,)),
    ("parent_run_id", values.text, (names.PARENT_RUN_ID,)),
    ("iteration", values.count, (names.ITERATION,)),
    ("step", values.text, (names.STEP,)),
    ("seq", values.count, (names.SEQ,)),
    ("process_id", values.text, (names.PROCESS_ID,)),
    (
        "customer_id",
        values.text,
        (
            names.CUSTOMER_ID, "customer.id", "customer_id", "tenant.id", "tenant_id",
            "langfuse.trace.metadata.customer_id", "langfuse.trace.metadata.tenant_id",
            "traceloop.association.properties.customer_id", "traceloop.association.properties.tenant_id",
            "langsmith.metadata.customer_id", "langsmith.metadata.tenant_id", "ai.telemetry.metadata.customerId",
            "ai.telemetry.metadata.tenantId", "lmnr.association.properties.metadata.customer_id",
        ),
    ),
    (
        "conversation_id",
        values.text,
        (
            names.CONVERSATION_ID, "session.id", "langfuse.session.id", "langsmith.trace.session_id",
            "traceloop.association.properties.session_id", "traceloop.association.properties.thread_id",
            "traceloop.association.properties.conversation_id", "ai.telemetry.metadata.sessionId",
            Source("mlflow.trace.session", values.unquoted),
            "lmnr.association.properties.session_id", "anthropic.session.thread.id",
            "langsmith.metadata.session_id", "langsmith.metadata.thread_id", "langsmith.metadata.conversation_id",
            "gcp.vertex.agent.session_id", "thread.id",
        ),
    ),
    (
        "user_id",
        values.text,
        (
            names.USER_ID, "enduser.id", "langfuse.user.id", "traceloop.association.properties.user_id",
            "ai.telemetry.metadata.userId", Source("mlflow.trace.user", values.unquoted),
            "lmnr.association.properties.user_id", "langsmith.metadata.user_id", "gen_ai.user",
        ),
    ),
    ("environment", values.text, (names.ENVIRONMENT, "deployment.environment", "langfuse.environment")),
    ("tags", values.texts, (names.TAGS, "langfuse.trace.tags", "tag.tags", "langsmith.span.tags", "logfire.tags",
                             "lmnr.association.properties.tags")),
    (
        "prompt_name",
        values.text,
        (names.PROMPT_NAME, "langfuse.observation.prompt.name", "llm.prompt_template.name", "traceloop.prompt.key"),
    ),
    (
        "prompt_version",
        values.text,
        (
            names.PROMPT_VERSION, "langfuse.observation.prompt.version", "llm.prompt_template.version",
            "traceloop.prompt.version",
        ),
    ),
    (
        "agent",
        values.text,
        (names.AGENT_NAME, "agent.name", Source("agent_name", None, _PYDANTIC), "gen_ai.workflow.name",
         "traceloop.workflow.name", Source("ai.telemetry.functionId", None, _VERCEL)),
    ),
    ("agent_version", values.text, (names.AGENT_VERSION,)),
    ("agent_entity", values.text, ("traceloop.entity.name",)),
    # a model call
    (
        "provider",
        values.text,
        (names.PROVIDER_NAME, "gen_ai.system", "llm.provider", "llm.system", "ai.model.provider",
         Source("mlflow.llm.provider", values.unquoted)),
    ),
    (
        "request_model",
        values.unquoted,
        (
            names.REQUEST_MODEL, "llm.request.model_name", "llm.model_name", "ai.model.id",
            "langfuse.observation.model.name", "embedding.model_name", "reranker.model_name", "mlflow.llm.model",
            Source("model_name", None, _PYDANTIC), _claude("model"),
        ),
    ),
    (
        "response_model",
        values.text,
        (names.RESPONSE_MODEL, "llm.response.model_name", "llm.response.model", "ai.response.model"),
    ),
    ("response_id", values.text, (names.RESPONSE_ID, "ai.response.id", _claude("request_id"))),
    (
        "input_tokens",
        values.count,
        (
            names.INPUT_TOKENS, "gen_ai.usage.prompt_tokens", "llm.token_count.prompt", "ai.usage.inputTokens",
            "ai.usage.promptTokens", "llm.usage.prompt_tokens", "ai.usage.tokens", _claude("input_tokens"),
        ),
    ),
    (
        "output_tokens",
        values.count,
        (
            names.OUTPUT_TOKENS, "gen_ai.usage.completion_tokens", "llm.token_count.completion",
            "ai.usage.outputTokens", "ai.usage.completionTokens", "llm.usage.completion_tokens",
            _claude("output_tokens"),
        ),
    ),
    (
        "cache_read_tokens",
        values.count,
        (
            names.CACHE_READ_TOKENS, "gen_ai.usage.cache_read_input_tokens",
            "llm.token_count.prompt_details.cache_read", "gen_ai.usage.details.cache_read_tokens",
            "gen_ai.usage.details.cache_read_input_tokens", "ai.usage.cachedInputTokens",
            "gen_ai.usage.input_tokens.cached", _claude("cache_read_tokens"),
        ),
    ),
    (
        "cache_write_tokens",
        values.count,
        (
            names.CACHE_WRITE_TOKENS, "gen_ai.usage.cache_creation.input_tokens",
            "gen_ai.usage.cache_creation_input_tokens", "gen_ai.usage.cache_write_input_tokens",
            "llm.token_count.prompt_details.cache_write", "gen_ai.usage.details.cache_write_tokens",
            "gen_ai.usage.details.cache_creation_input_tokens", "gen_ai.usage.input_tokens.cache_write",
            _claude("cache_creation_tokens"),
        ),
    ),
    (
        "cache_write_5m_tokens",
        values.count,
        (names.ANTHROPIC_CACHE_WRITE_5M_TOKENS, "gen_ai.usage.details.ephemeral_5m_input_tokens"),
    ),
    (
        "cache_write_1h_tokens",
        values.count,
        (names.ANTHROPIC_CACHE_WRITE_1H_TOKENS, "gen_ai.usage.details.ephemeral_1h_input_tokens"),
    ),
    (
        "reasoning_tokens",
        values.count,
        (
            names.REASONING_TOKENS, "llm.token_count.completion_details.reasoning", "gen_ai.usage.reasoning_tokens",
            "llm.usage.reasoning_tokens", "gen_ai.usage.details.thinking_tokens",
            "gen_ai.usage.details.reasoning_tokens", "ai.usage.reasoningTokens", "gen_ai.usage.output_tokens.reasoning",
        ),
    ),
    (
        "total_tokens",
        values.count,
        ("gen_ai.usage.total_tokens", "llm.token_count.total", "llm.usage.total_tokens", "ai.usage.totalTokens"),
    ),
    ("usage_details", values.json_object, ("langfuse.observation.usage_details",)),
    ("chat_usage", values.json_object, ("mlflow.chat.tokenUsage",)),
    ("cost_details", values.json_object, ("langfuse.observation.cost_details",)),
    ("raw_usage", values.json_object, ("gen_ai.usage.raw",)),
    ("provider_metadata", values.json_object, ("ai.response.providerMetadata",)),
    (
        "token_details",
        values.json_object,
        ("langsmith.metadata.usage_metadata", Source("gen_ai.usage.input_token_details", values.literal_object)),
    ),
    ("output_token_details", values.literal_object, ("gen_ai.usage.output_token_details",)),
    ("prompt_cost", values.usd, ("llm.cost.prompt",)),
    ("completion_cost", values.usd, ("llm.cost.completion",)),
    ("web_search_requests", values.count, (names.WEB_SEARCH_REQUESTS,)),
    (
        "service_tier",
        values.text,
        (names.SERVICE_TIER, "anthropic.response.service_tier", "openai.response.service_tier"),
    ),
    (
        "reported_cost_usd",
        values.usd,
        (
            "gen_ai.usage.cost", "gen_ai.usage.total_cost", "llm.cost.total", "operation.cost", "litellm.cost.total",
            "gen_ai.cost.total_cost",
            _claude("cost_usd"),
        ),
    ),
    (
        "stop_reason",
        values.first_text,
        (
            names.FINISH_REASONS, "gen_ai.response.finish_reason", "llm.finish_reason",
            "gen_ai.completion.0.finish_reason", "ai.response.finishReason", "ai.finishReason",
            "anthropic.message.stop_reason", "llm.response.finish_reason", "llm.response.stop_reason",
            _claude("stop_reason"),
        ),
    ),
    (
        "ttft_ns",
        values.seconds_as_ns,
        (
            names.TIME_TO_FIRST_CHUNK, Source("ai.response.msToFirstChunk", values.milliseconds_as_ns),
            Source("ai.stream.msToFirstChunk", values.milliseconds_as_ns),
            Source("gen_ai.server.time_to_first_token", values.milliseconds_as_ns, _STRANDS),  # Strands writes ms
            "gen_ai.server.time_to_first_token", _claude("ttft_ms", values.milliseconds_as_ns),
        ),
    ),
    ("completion_start", values.unquoted, ("langfuse.observation.completion_start_time",)),
    ("tools_offered", values.texts, (names.TOOLS_OFFERED,)),
    ("tools_schema_bytes", values.count, (names.TOOLS_SCHEMA_BYTES,)),
    # a tool call
    (
        "tool",
        values.text,
        (names.TOOL_NAME, "tool.name", "ai.toolCall.name", _claude("tool_name")),
    ),
    (
        "tool_call_id",
        values.text,
        (names.TOOL_CALL_ID, "tool.id", "tool_call.id", "ai.toolCall.id", _claude("tool_use_id")),
    ),
    ("tool_outcome", values.text, (names.TOOL_OUTCOME,)),
    ("tool_retryable", values.flag, (names.TOOL_RETRYABLE,)),
    ("tool_status", values.text, ("gen_ai.tool.status",)),
    ("span_type", values.text, ("logfire.span_type",)),
    ("success", values.flag, (_claude("success"),)),
    ("arguments_hash", values.text, (names.TOOL_ARGUMENTS_HASH,)),
    ("arguments_bytes", values.count, (names.TOOL_ARGUMENTS_BYTES,)),
    ("result_hash", values.text, (names.TOOL_RESULT_HASH,)),
    ("result_bytes", values.count, (names.TOOL_RESULT_BYTES,)),
    # a run
    ("outcome", values.text, (names.OUTCOME,)),
    ("outcome_reason", values.text, (names.OUTCOME_REASON,)),
    ("limit_name", values.text, (names.LIMIT_NAME,)),
    ("iteration_cap", values.count, (names.LIMITS_PREFIX + "iterations",)),
    ("input_bytes", values.count, (names.INPUT_BYTES,)),
    ("output_bytes", values.count, (names.OUTPUT_BYTES,)),
    # how it went
    ("error_type", values.text, (names.ERROR_TYPE,)),
    (
        "error_message",
        values.text,
        ("langfuse.observation.status_message", _claude("error")),
    ),
    ("level", values.text, ("langfuse.observation.level",)),
    # content
    (
        "input",
        values.content,
        (
            names.INPUT_MESSAGES, "ai.prompt.messages", "ai.prompt", "pydantic_ai.all_messages", "all_messages_events",
            "gen_ai.prompt", "gcp.vertex.agent.llm_request", names.INPUT,
        ),
    ),
    (
        "output",
        values.content,
        (
            names.OUTPUT_MESSAGES, "ai.response.text", "ai.response.object", "ai.response.toolCalls", "final_result",
            "gen_ai.completion", "gcp.vertex.agent.llm_response", names.OUTPUT,
        ),
    ),
    ("system", values.content, (names.SYSTEM_INSTRUCTIONS,)),
    ("tools", values.content, (names.TOOL_DEFINITIONS, "ai.prompt.tools", "gen_ai.agent.tools")),
    (
        "arguments",
        values.content,
        (
            names.TOOL_ARGUMENTS, "tool.parameters", "ai.toolCall.args", Source("tool_arguments", None, _PYDANTIC),
            "gcp.vertex.agent.tool_call_args", "gen_ai.tool.input", _claude("tool_input"),
        ),
    ),
    (
        "result",
        values.content,
        (
            names.TOOL_RESULT, "ai.toolCall.result", Source("tool_response", None, _PYDANTIC),
            "gcp.vertex.agent.tool_response", "gen_ai.tool.output", "anthropic.tool_result.content",
        ),
    ),
    (
        "value_in",
        values.content,
        (
            "langfuse.observation.input", "mlflow.spanInputs", "traceloop.entity.input", "input.value",
            "genkit:input", "lmnr.span.input", Source("input", None, _BARE_INPUT),
        ),
    ),
    (
        "value_out",
        values.content,
        (
            "langfuse.observation.output", "mlflow.spanOutputs", "traceloop.entity.output", "output.value",
            "genkit:output", "lmnr.span.output", Source("output", None, _BARE_INPUT),
        ),
    ),
)  # fmt: skip


class Aliases(dict[str, Alias | None]):
    """Attribute to alias, for one dialect; None for attributes that mean no field of ours.

    Unknown keys are remembered, so that a key's prefix is looked at once, not once a span; no more than
    `_MEMO_KEYS` of them and none that is long, for keys come from strangers.
    """

    def __missing__(self, key: str) -> Alias | None:
        alias = _FLAT if key.startswith(FLAT_PREFIXES) and key not in _NOT_FLAT and key[-1] != "." else None
        if len(self) < _MEMO_KEYS and len(key) <= _MEMO_KEY_CHARS:
            self[key] = alias
        return alias


_FLAT: Final = Alias(SLOTS["flat"], -1, values.plain)


def aliases_of(dialect: str) -> Aliases:
    """The alias table as one dialect reads it."""
    found = _MADE.get(dialect)
    if found is None:
        found = _MADE[dialect] = _make(dialect)
    return found


_MADE: Final[dict[str, Aliases]] = {}


def _make(dialect: str) -> Aliases:
    made = Aliases()
    for field, read, sources in _TABLE:
        for rank, source in enumerate(sources):
            name, own_read, dialects = source if isinstance(source, Source) else (source, None, frozenset[str]())
            if (not dialects or dialect in dialects) and name not in made:
                made[name] = Alias(SLOTS[field], rank, own_read or read)
    return made


def attributes_of(field: str) -> tuple[str, ...]:
    """The attributes that carry a field in any dialect.

    Args:
        field: a column of spans, or a virtual one.
    """
    sources = next(sources for name, _, sources in _TABLE if name == field)
    return tuple(source.name if isinstance(source, Source) else source for source in sources)


def row_in_the_making() -> list[Any]:
    """Defaults for the columns, None for the virtual fields."""
    return list(_EMPTY)


_EMPTY: Final[tuple[Any, ...]] = (*(column.default for column in SPAN_COLUMNS), *(None for _ in VIRTUAL))
