-- One row per alert, replaced as a whole: state, history and the messages still to be delivered change together,
-- so that a crash between any two of them cannot happen.
CREATE TABLE alerts (
    project LowCardinality(String),
    alert_id String,
    rule LowCardinality(String),
    severity LowCardinality(String),
    state LowCardinality(String),
    started_at DateTime64(3, 'UTC'),
    undelivered UInt32,
    row_version UInt64,
    body String CODEC(ZSTD(3))
)
ENGINE = ReplacingMergeTree(row_version)
PARTITION BY toYYYYMM(started_at)
ORDER BY (project, alert_id)
SETTINGS index_granularity = 1024, fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1
