-- What a token of each kind cost where calls were priced: one look-up per model, tier of service and day. Prices of
-- packages and of the operator change; this says what was charged then, and by which list.
CREATE TABLE rates (
    provider LowCardinality(String),
    model String,
    valid_from Date,
    valid_to Date,
    tier LowCardinality(String),
    above_input_tokens UInt64,
    kind LowCardinality(String),
    usd_per_token Decimal(38, 18),
    source LowCardinality(String),
    version LowCardinality(String),
    row_version UInt64
)
ENGINE = ReplacingMergeTree(row_version)
ORDER BY (provider, model, valid_from, tier, above_input_tokens, kind)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1
