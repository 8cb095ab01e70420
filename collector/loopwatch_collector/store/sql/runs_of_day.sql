-- The runs that have spans on a day, with the first and last of these.
SELECT run_id, toUnixTimestamp64Nano(min(start_time)) AS first_ns, toUnixTimestamp64Nano(max(start_time)) AS last_ns
FROM spans
WHERE project = {project:String}
    AND start_time >= toDateTime64({day:Date}, 9, 'UTC')
    AND start_time < toDateTime64({day:Date}, 9, 'UTC') + INTERVAL 1 DAY
    AND run_id != ''
GROUP BY run_id
