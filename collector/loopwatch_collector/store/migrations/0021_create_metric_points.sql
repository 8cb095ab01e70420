-- Token, cost and duration metrics, for senders that have only metrics, and what SDKs say they dropped. A point's
-- identity is its series (all attributes, hashed) and its time; resent ones replace themselves.
CREATE TABLE metric_points (
    project LowCardinality(String),
    metric LowCardinality(String),
    time DateTime64(9, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    series UInt64 CODEC(ZSTD(1)),
    row_version UInt64 CODEC(DoubleDelta, ZSTD(1)),
    start_time DateTime64(9, 'UTC') CODEC(ZSTD(1)),
    is_cumulative UInt8,
    unit LowCardinality(String),
    value Float64 CODEC(ZSTD(1)),
    points UInt64 CODEC(T64, ZSTD(1)),
    service LowCardinality(String),
    environment LowCardinality(String),
    process_id String CODEC(ZSTD(1)),
    agent LowCardinality(String),
    provider LowCardinality(String),
    model LowCardinality(String),
    token_kind LowCardinality(String),
    attributes Map(LowCardinality(String), String) CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(row_version)
PARTITION BY (project, toDate(time))
ORDER BY (project, metric, toStartOfMinute(time), series, time)
SETTINGS index_granularity = 8192, fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1
