-- A row is written when a day's reprice begins, too: pages say that it is under way, also of one that was broken off.
ALTER TABLE repriced_days ADD COLUMN IF NOT EXISTS is_under_way UInt8 DEFAULT 0
