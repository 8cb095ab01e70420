-- Bodies the engine refused: they block nobody and vanish nowhere.
CREATE TABLE dead_letters (
    project LowCardinality(String),
    kind LowCardinality(String),
    id String,
    received_at DateTime64(9, 'UTC') CODEC(ZSTD(1)),
    reason String CODEC(ZSTD(1)),
    body String CODEC(ZSTD(3))
)
ENGINE = ReplacingMergeTree
PARTITION BY (project, toDate(received_at))
ORDER BY (project, kind, received_at, id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1
