-- Acknowledgements of the last 400 days and silences that are still on, of every project.
SELECT project, kind, remark_id, toUnixTimestamp64Nano(toDateTime64(until, 9, 'UTC')) AS until_ns, body
FROM alert_remarks FINAL
WHERE is_deleted = 0 AND until > now64(3)
ORDER BY project, kind, remark_id
