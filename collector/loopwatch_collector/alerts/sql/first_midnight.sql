-- When the first day begins of which there is anything by time, of anybody; tomorrow where there is nothing. Partitions
-- end with their days (a project before it may be named like one), so no row is read.
SELECT toUnixTimestamp64Nano(toDateTime64(
    ifNull(min(toDateOrNull(extract(partition, '(\\d{4}-\\d{2}-\\d{2})\'\\)$'))), toDate(now('UTC')) + 1), 9, 'UTC'
))
FROM system.parts
WHERE active AND database = currentDatabase() AND table IN ('spans', 'runs', 'metric_points', 'log_events')
