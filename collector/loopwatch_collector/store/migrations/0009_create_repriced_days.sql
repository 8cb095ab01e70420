-- Which days were repriced, when, and what it changed: pages show it, and a reprice that was broken off goes on here.
CREATE TABLE repriced_days (
    project LowCardinality(String),
    day Date,
    repriced_at DateTime64(3, 'UTC'),
    calls UInt64,
    changed_calls UInt64,
    before_usd Decimal(38, 12),
    after_usd Decimal(38, 12)
)
ENGINE = ReplacingMergeTree(repriced_at)
ORDER BY (project, day)
