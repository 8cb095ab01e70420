ALTER TABLE dead_letters ADD COLUMN redriven_at Nullable(DateTime64(3, 'UTC'))
