-- Who may do what only one collector may do. A term is claimed by inserting a row; the earliest claim of a term,
-- by the server's clock, has it. Its holder extends `until` while it lives.
CREATE TABLE leases (
    name LowCardinality(String),
    term UInt64,
    holder String,
    claimed_at DateTime64(6, 'UTC'),
    until DateTime64(3, 'UTC'),
    row_version UInt64
)
ENGINE = ReplacingMergeTree(row_version)
ORDER BY (name, term, claimed_at, holder)
SETTINGS index_granularity = 1024
