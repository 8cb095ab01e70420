-- Where the spans of a run lie in time, as told by every collector that stored some of them, before it derives the
-- run's row. Used only where several collectors share the store. `day` is the day of the note: it is of use while
-- spans of the run still arrive.
CREATE TABLE run_extents (
    project LowCardinality(String),
    run_id String CODEC(ZSTD(1)),
    day Date,
    first_ns SimpleAggregateFunction(min, Int64) CODEC(ZSTD(1)),
    last_ns SimpleAggregateFunction(max, Int64) CODEC(ZSTD(1))
)
ENGINE = AggregatingMergeTree
PARTITION BY day
ORDER BY (project, run_id, day)
TTL day + INTERVAL 30 DAY
SETTINGS index_granularity = 1024, ttl_only_drop_parts = 1, fsync_after_insert = 1, fsync_part_directory = 1
