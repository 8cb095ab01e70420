-- Deletions reach what came in logs and metrics too, and say how much of it.
ALTER TABLE deletions
    ADD COLUMN IF NOT EXISTS log_events UInt64 AFTER contents,
    ADD COLUMN IF NOT EXISTS metric_points UInt64 AFTER log_events,
    ADD COLUMN IF NOT EXISTS verdicts UInt64 AFTER metric_points
