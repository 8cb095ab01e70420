"""The row of each table: the column list exists here, once.

The writer builds rows from it, the insert takes its columns from it, and a test compares it with
the tables the migrations create.
"""

from typing import Any, Final, NamedTuple

NO_SPAN: Final = b"\x00" * 8


class Column(NamedTuple):
    """One column: its name, its ClickHouse type, and the value of a field nobody reported."""

    name: str
    clickhouse_type: str
    default: Any


_TEXT = "LowCardinality(String)"

SPAN_COLUMNS: Final[tuple[Column, ...]] = (
    # identity and time
    Column("project", _TEXT, "default"),
    Column("trace_id", "FixedString(16)", b"\x00" * 16),
    Column("span_id", "FixedString(8)", NO_SPAN),
    Column("parent_span_id", "FixedString(8)", NO_SPAN),
    Column("start_time", "DateTime64(9, 'UTC')", 0),  # written as ns since the epoch
    Column("duration_ns", "UInt64", 0),
    Column("row_version", "UInt64", 0),  # the highest wins: received_at in ns, raised by reprice
    # what it is
    Column("kind", _TEXT, "other"),  # run | iteration | step | model_call | tool_call | other
    Column("name", _TEXT, ""),
    Column("scope", _TEXT, ""),
    Column("dialect", _TEXT, ""),
    Column("status", _TEXT, "unset"),  # unset | ok | error
    Column("error_type", _TEXT, ""),
    Column("error_message", "String", ""),
    # where it ran
    Column("service", _TEXT, ""),
    Column("service_version", _TEXT, ""),
    Column("environment", _TEXT, ""),
    Column("process_id", "String", ""),
    Column("seq", "UInt64", 0),  # 0: the sender does not number its spans
    # whose it is
    Column("run_id", "String", ""),
    Column("parent_run_id", "String", ""),
    Column("agent", _TEXT, ""),
    Column("agent_version", _TEXT, ""),
    Column("iteration", "UInt32", 0),  # counted from 1; 0: outside any iteration
    Column("step", _TEXT, ""),
    Column("conversation_id", "String", ""),
    Column("customer_id", "String", ""),
    Column("user_id", "String", ""),
    Column("tags", f"Array({_TEXT})", ()),
    Column("prompt_name", _TEXT, ""),
    Column("prompt_version", _TEXT, ""),
    # a model call
    Column("provider", _TEXT, ""),
    Column("request_model", _TEXT, ""),
    Column("model", _TEXT, ""),  # the response's, else the request's
    Column("response_id", "String", ""),
    Column("call_rank", "UInt8", 0),  # of the spans of one call the highest counts; see call_rank.py
    Column("input_tokens", "UInt64", 0),  # all of them, cached ones included
    Column("output_tokens", "UInt64", 0),
    Column("cache_read_tokens", "UInt64", 0),
    Column("cache_write_5m_tokens", "UInt64", 0),
    Column("cache_write_1h_tokens", "UInt64", 0),
    Column("reasoning_tokens", "UInt64", 0),
    Column("web_search_requests", "UInt32", 0),
    Column("service_tier", _TEXT, ""),
    Column("stop_reason", _TEXT, ""),
    Column("ttft_ns", "UInt64", 0),
    Column("input_bytes", "UInt64", 0),
    Column("output_bytes", "UInt64", 0),
    Column("tools_offered", f"Array({_TEXT})", ()),
    Column("tools_schema_bytes", "Nullable(UInt32)", None),
    # its price: None = unpriced, never 0
    Column("cost_usd", "Nullable(Decimal(18, 12))", None),
    Column("input_cost_usd", "Nullable(Decimal(18, 12))", None),
    Column("output_cost_usd", "Nullable(Decimal(18, 12))", None),
    Column("cache_read_cost_usd", "Nullable(Decimal(18, 12))", None),
    Column("cache_write_cost_usd", "Nullable(Decimal(18, 12))", None),
    # what its input would have cost without a cache
    Column("uncached_cost_usd", "Nullable(Decimal(18, 12))", None),
    Column("reported_cost_usd", "Nullable(Decimal(18, 12))", None),
    Column("price_source", _TEXT, ""),
    Column("price_version", _TEXT, ""),
    # a tool call
    Column("tool", _TEXT, ""),
    Column("tool_call_id", "String", ""),
    Column("tool_outcome", _TEXT, ""),  # success | not_found | error
    Column("tool_retryable", "Nullable(UInt8)", None),
    Column("arguments_hash", "String", ""),
    Column("arguments_bytes", "UInt64", 0),
    Column("result_hash", "String", ""),
    Column("result_bytes", "UInt64", 0),
    # a run
    Column("outcome", _TEXT, ""),
    Column("outcome_reason", "String", ""),
    Column("limit_name", _TEXT, ""),
    Column("iteration_cap", "UInt32", 0),  # 0: none was set
    Column("escalation_reason", "String", ""),
    Column("escalation_priority", _TEXT, ""),
    # content, by hash within the trace (table contents); roles and hashes run in parallel
    Column("content_roles", f"Array({_TEXT})", ()),  # input | output | system | tools | arguments | result
    Column("content_hashes", "Array(UInt64)", ()),
    # everything else the sender said
    Column("event_names", f"Array({_TEXT})", ()),
    Column("event_times", "Array(DateTime64(9, 'UTC'))", ()),
    Column("event_attributes", "Array(Map(LowCardinality(String), String))", ()),
    Column("attributes", "Map(LowCardinality(String), String)", {}),
)

CONTENT_COLUMNS: Final[tuple[Column, ...]] = (
    Column("project", _TEXT, "default"),
    Column("trace_id", "FixedString(16)", b"\x00" * 16),
    Column("hash", "UInt64", 0),
    Column("day", "Date", 0),  # the UTC day the span started: the partition
    Column("body", "String", ""),
)

DEAD_LETTER_COLUMNS: Final[tuple[Column, ...]] = (
    Column("project", _TEXT, "default"),
    Column("kind", _TEXT, ""),
    Column("id", "String", ""),
    Column("received_at", "DateTime64(9, 'UTC')", 0),
    Column("reason", "String", ""),
    Column("body", "String", b""),
    Column("redriven_at", "Nullable(DateTime64(3, 'UTC'))", None),  # None: it still waits for somebody to look at it
)

VERDICT_COLUMNS: Final[tuple[Column, ...]] = (
    Column("project", _TEXT, "default"),
    Column("run_id", "String", ""),
    Column("span_id", "String", ""),  # hex; empty: the verdict is on the run
    Column("name", _TEXT, ""),
    Column("author", "String", ""),
    Column("score", "Nullable(Float64)", None),
    Column("label", _TEXT, ""),
    Column("comment", "String", ""),
    Column("time", "DateTime64(9, 'UTC')", 0),
    Column("row_version", "UInt64", 0),
)

LOG_EVENT_COLUMNS: Final[tuple[Column, ...]] = (
    Column("project", _TEXT, "default"),
    Column("trace_id", "FixedString(16)", b"\x00" * 16),
    Column("span_id", "FixedString(8)", NO_SPAN),
    Column("time", "DateTime64(9, 'UTC')", 0),
    Column("hash", "UInt64", 0),  # of the whole record, so that a resent one replaces itself
    Column("row_version", "UInt64", 0),
    Column("name", _TEXT, ""),
    Column("service", _TEXT, ""),
    Column("environment", _TEXT, ""),
    Column("conversation_id", "String", ""),  # whom it is about, where it says so itself
    Column("customer_id", "String", ""),
    Column("user_id", "String", ""),
    Column("content_roles", f"Array({_TEXT})", ()),
    Column("content_hashes", "Array(UInt64)", ()),
    Column("attributes", "Map(LowCardinality(String), String)", {}),
)

METRIC_POINT_COLUMNS: Final[tuple[Column, ...]] = (
    Column("project", _TEXT, "default"),
    Column("metric", _TEXT, ""),
    Column("time", "DateTime64(9, 'UTC')", 0),
    Column("series", "UInt64", 0),  # hash of everything that tells one series from another
    Column("row_version", "UInt64", 0),
    Column("start_time", "DateTime64(9, 'UTC')", 0),
    Column("is_cumulative", "UInt8", 0),
    Column("kind", _TEXT, ""),  # gauge | counter | distribution; "": stored before this was
    Column("unit", _TEXT, ""),
    Column("value", "Float64", 0.0),  # of a histogram: the sum
    Column("points", "UInt64", 0),  # of a histogram: the count
    Column("service", _TEXT, ""),
    Column("environment", _TEXT, ""),
    Column("process_id", "String", ""),
    Column("agent", _TEXT, ""),
    Column("provider", _TEXT, ""),
    Column("model", _TEXT, ""),
    Column("token_kind", _TEXT, ""),  # input | output | cache_read | cache_write | reasoning
    Column("attributes", "Map(LowCardinality(String), String)", {}),
)

RUN_EXTENT_COLUMNS: Final[tuple[Column, ...]] = (
    Column("project", _TEXT, "default"),
    Column("run_id", "String", ""),
    Column("day", "Date", 0),
    Column("first_ns", "SimpleAggregateFunction(min, Int64)", 0),
    Column("last_ns", "SimpleAggregateFunction(max, Int64)", 0),
)

SPAN_INDEX: Final[dict[str, int]] = {column.name: index for index, column in enumerate(SPAN_COLUMNS)}
SPAN_DEFAULTS: Final[tuple[Any, ...]] = tuple(column.default for column in SPAN_COLUMNS)
