-- One row per run, derived from spans (derive_runs.sql) and never written by anything else. The day of the
-- run's start is the partition: when an earlier span moves the start over midnight, the row of the old day
-- is replaced by one with is_deleted = 1, so FINAL within a partition is right.
CREATE TABLE runs (
    project LowCardinality(String),
    run_id String CODEC(ZSTD(1)),
    start_time DateTime64(9, 'UTC') CODEC(ZSTD(1)),
    duration_ns UInt64 CODEC(T64, ZSTD(1)),
    row_version UInt64 CODEC(ZSTD(1)),
    is_deleted UInt8,
    trace_id FixedString(16) CODEC(ZSTD(1)),
    parent_run_id String CODEC(ZSTD(1)),
    first_span_time DateTime64(9, 'UTC') CODEC(ZSTD(1)),
    last_span_time DateTime64(9, 'UTC') CODEC(ZSTD(1)),
    last_activity_time DateTime64(9, 'UTC') CODEC(ZSTD(1)),
    spans UInt32 CODEC(T64, ZSTD(1)),
    agent LowCardinality(String),
    agent_version LowCardinality(String),
    service LowCardinality(String),
    environment LowCardinality(String),
    conversation_id String CODEC(ZSTD(1)),
    customer_id String CODEC(ZSTD(1)),
    user_id String CODEC(ZSTD(1)),
    tags Array(LowCardinality(String)) CODEC(ZSTD(1)),
    prompt_name LowCardinality(String),
    prompt_version LowCardinality(String),
    ended UInt8,
    outcome LowCardinality(String),
    outcome_reason String CODEC(ZSTD(1)),
    limit_name LowCardinality(String),
    error_type LowCardinality(String),
    error_message String CODEC(ZSTD(1)),
    escalation_reason String CODEC(ZSTD(1)),
    escalation_priority LowCardinality(String),
    last_tool LowCardinality(String),
    iterations UInt32 CODEC(T64, ZSTD(1)),
    iteration_cap UInt32 CODEC(T64, ZSTD(1)),
    model_calls UInt32 CODEC(T64, ZSTD(1)),
    tool_calls UInt32 CODEC(T64, ZSTD(1)),
    tool_errors UInt32 CODEC(T64, ZSTD(1)),
    tool_not_found UInt32 CODEC(T64, ZSTD(1)),
    input_tokens UInt64 CODEC(T64, ZSTD(1)),
    output_tokens UInt64 CODEC(T64, ZSTD(1)),
    cache_read_tokens UInt64 CODEC(T64, ZSTD(1)),
    cache_write_tokens UInt64 CODEC(T64, ZSTD(1)),
    reasoning_tokens UInt64 CODEC(T64, ZSTD(1)),
    unpriced_tokens UInt64 CODEC(T64, ZSTD(1)),
    cost_usd Nullable(Decimal(38, 12)) CODEC(ZSTD(1)),
    -- one entry per model, in parallel: what the run facts need to be told by model without reading spans
    model_names Array(LowCardinality(String)) CODEC(ZSTD(1)),
    model_providers Array(LowCardinality(String)) CODEC(ZSTD(1)),
    model_call_counts Array(UInt32) CODEC(ZSTD(1)),
    model_input_tokens Array(UInt64) CODEC(ZSTD(1)),
    model_output_tokens Array(UInt64) CODEC(ZSTD(1)),
    model_cache_read_tokens Array(UInt64) CODEC(ZSTD(1)),
    model_cache_write_tokens Array(UInt64) CODEC(ZSTD(1)),
    model_unpriced_tokens Array(UInt64) CODEC(ZSTD(1)),
    model_costs_usd Array(Decimal(38, 12)) CODEC(ZSTD(1)),
    -- cost by kind of token, summed over the counted calls that have a price
    input_cost_usd Decimal(38, 12) CODEC(ZSTD(1)),
    output_cost_usd Decimal(38, 12) CODEC(ZSTD(1)),
    cache_read_cost_usd Decimal(38, 12) CODEC(ZSTD(1)),
    cache_write_cost_usd Decimal(38, 12) CODEC(ZSTD(1)),
    -- cost by the tool whose results caused it, (no tool) included: adds up to cost_usd exactly
    tool_cost_names Array(LowCardinality(String)) CODEC(ZSTD(1)),
    tool_costs_usd Array(Decimal(38, 12)) CODEC(ZSTD(1)),
    -- spans that report a model call another span reports already: left out of every sum
    duplicate_span_ids Array(FixedString(8)) CODEC(ZSTD(1)),
    INDEX run_id_bloom run_id TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = ReplacingMergeTree(row_version, is_deleted)
PARTITION BY (project, toDate(start_time))
ORDER BY (project, run_id)
SETTINGS index_granularity = 1024, fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1
