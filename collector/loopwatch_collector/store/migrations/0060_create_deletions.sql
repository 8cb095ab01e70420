-- Who asked to be forgotten, what that deleted, and whether a count after a restart found nothing left: mutations
-- of the engine are not crash-atomic, so only such a count is a proof.
CREATE TABLE deletions (
    project LowCardinality(String),
    deletion_id String,
    field LowCardinality(String),
    value String,
    requested_at DateTime64(3, 'UTC'),
    finished_at Nullable(DateTime64(3, 'UTC')),
    verified_at Nullable(DateTime64(3, 'UTC')),
    runs UInt64,
    spans UInt64,
    contents UInt64,
    row_version UInt64
)
ENGINE = ReplacingMergeTree(row_version)
ORDER BY (project, deletion_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1
