-- What the searches of a run's model calls cost: a part of the cost that is of no kind of token. Rows derived before have
-- none, and what their searches cost is told as not split until `loopwatch rebuild runs`.
ALTER TABLE runs
    ADD COLUMN IF NOT EXISTS web_search_cost_usd Decimal(38, 12) DEFAULT 0 CODEC(ZSTD(1)) AFTER cache_write_cost_usd
