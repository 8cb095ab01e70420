-- Tables whose merged parts' sources are removed with the next cleanup.
SELECT name FROM system.tables
WHERE database = currentDatabase() AND engine LIKE '%MergeTree' AND engine_full NOT LIKE '%old_parts_lifetime%'
ORDER BY name
