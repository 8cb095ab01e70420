-- Messages, arguments and results, each once per trace. Never shared across traces: deleting a trace deletes
-- its contents. Own partitions, because content is kept for fewer days than the rest.
CREATE TABLE contents (
    project LowCardinality(String),
    trace_id FixedString(16) CODEC(ZSTD(1)),
    hash UInt64 CODEC(T64, ZSTD(1)),
    day Date CODEC(ZSTD(1)),
    body String CODEC(ZSTD(3))
)
ENGINE = ReplacingMergeTree
PARTITION BY (project, day)
ORDER BY (project, trace_id, hash)
SETTINGS index_granularity = 1024, fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1
