-- Scores, labels and comments on runs and spans; the last per (run, span, name, author) counts.
CREATE TABLE verdicts (
    project LowCardinality(String),
    run_id String CODEC(ZSTD(1)),
    span_id String CODEC(ZSTD(1)),
    name LowCardinality(String),
    author String CODEC(ZSTD(1)),
    score Nullable(Float64) CODEC(ZSTD(1)),
    label LowCardinality(String),
    comment String CODEC(ZSTD(3)),
    time DateTime64(9, 'UTC') CODEC(ZSTD(1)),
    row_version UInt64 CODEC(ZSTD(1)),
    is_deleted UInt8 DEFAULT 0
)
ENGINE = ReplacingMergeTree(row_version, is_deleted)
PARTITION BY project
ORDER BY (project, run_id, span_id, name, author)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1
