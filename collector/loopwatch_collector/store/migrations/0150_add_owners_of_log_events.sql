-- Whom a log event is about: a deletion finds events by it whose span never came, or does not say it. Events stored
-- before say nothing here.
ALTER TABLE log_events
    ADD COLUMN IF NOT EXISTS conversation_id String CODEC(ZSTD(1)) AFTER environment,
    ADD COLUMN IF NOT EXISTS customer_id String CODEC(ZSTD(1)) AFTER conversation_id,
    ADD COLUMN IF NOT EXISTS user_id String CODEC(ZSTD(1)) AFTER customer_id
