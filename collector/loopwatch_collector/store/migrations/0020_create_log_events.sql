-- Events that senders put into logs and that belong to a span: content of a model call, mostly. They may arrive
-- before or after their span, in other requests, so they are joined when a run is read. Resent ones replace
-- themselves: the identity ends in a hash of the record.
CREATE TABLE log_events (
    project LowCardinality(String),
    trace_id FixedString(16) CODEC(ZSTD(1)),
    span_id FixedString(8) CODEC(ZSTD(1)),
    time DateTime64(9, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    hash UInt64 CODEC(ZSTD(1)),
    row_version UInt64 CODEC(DoubleDelta, ZSTD(1)),
    name LowCardinality(String),
    service LowCardinality(String),
    environment LowCardinality(String),
    content_roles Array(LowCardinality(String)) CODEC(ZSTD(1)),
    content_hashes Array(UInt64) CODEC(ZSTD(1)),
    attributes Map(LowCardinality(String), String) CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(row_version)
PARTITION BY (project, toDate(time))
ORDER BY (project, trace_id, span_id, time, hash)
SETTINGS index_granularity = 8192, fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1
