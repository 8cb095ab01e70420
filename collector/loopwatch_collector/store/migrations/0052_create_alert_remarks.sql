-- What people say about alerts: acknowledgements (by alert id) and silences (by rule and group, until a time).
-- They are rows of their own, so that any collector can take them while one evaluates.
CREATE TABLE alert_remarks (
    project LowCardinality(String),
    kind LowCardinality(String), -- acknowledgement | silence
    remark_id String,
    until DateTime64(3, 'UTC'),
    is_deleted UInt8,
    row_version UInt64,
    body String
)
ENGINE = ReplacingMergeTree(row_version)
ORDER BY (project, kind, remark_id)
SETTINGS index_granularity = 1024, fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1
