-- New prices of model calls on their way into `spans`: a reprice writes them here and the engine copies the rows.
CREATE TABLE repriced_calls (
    project LowCardinality(String),
    job UInt64,
    trace_id FixedString(16),
    span_id FixedString(8),
    cost_usd Nullable(Decimal(18, 12)),
    input_cost_usd Nullable(Decimal(18, 12)),
    output_cost_usd Nullable(Decimal(18, 12)),
    cache_read_cost_usd Nullable(Decimal(18, 12)),
    cache_write_cost_usd Nullable(Decimal(18, 12)),
    uncached_cost_usd Nullable(Decimal(18, 12)),
    price_source LowCardinality(String),
    price_version LowCardinality(String),
    written_at DateTime DEFAULT now()
)
ENGINE = ReplacingMergeTree
ORDER BY (project, job, trace_id, span_id)
TTL written_at + INTERVAL 1 DAY
