-- What a point's value is: without it a gauge would be added up like a counter.
ALTER TABLE metric_points ADD COLUMN IF NOT EXISTS kind LowCardinality(String) AFTER is_cumulative
