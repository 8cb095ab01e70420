-- Rules made through the API or the page, by name; deleted ones keep a row that says so.
CREATE TABLE alert_rules (
    project LowCardinality(String),
    name String,
    toml String,
    enabled UInt8,
    is_deleted UInt8,
    row_version UInt64
)
ENGINE = ReplacingMergeTree(row_version)
ORDER BY (project, name)
SETTINGS index_granularity = 1024, fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1
