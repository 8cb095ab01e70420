-- How much a run repeats itself: without repeats it has no loop, and its spans need not be read to look for one.
-- Rows derived before say nothing (-1) and are looked into.
ALTER TABLE runs
    ADD COLUMN IF NOT EXISTS repeated_calls Int32 DEFAULT -1 CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS repeated_arguments Int32 DEFAULT -1 CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS repeated_results Int32 DEFAULT -1 CODEC(ZSTD(1))
