-- What a call's input would have cost without a cache: rates are known where a call is priced, not where it is asked
-- what caching saved.
ALTER TABLE spans ADD COLUMN IF NOT EXISTS uncached_cost_usd Nullable(Decimal(18, 12)) CODEC(ZSTD(1)) AFTER cache_write_cost_usd
