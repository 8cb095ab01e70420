-- Some rows that plain events made, whole, with times as they are written.
SELECT * REPLACE (
    toUnixTimestamp64Nano(start_time) AS start_time,
    arrayMap(time -> toUnixTimestamp64Nano(time), event_times) AS event_times
)
FROM (
    SELECT *
    FROM spans FINAL
    WHERE project = {project:String}
        AND start_time >= fromUnixTimestamp64Nano({first_ns:Int64}, 'UTC')
        AND start_time <= fromUnixTimestamp64Nano({last_ns:Int64}, 'UTC')
        AND run_id IN {run_ids:Array(String)}
        AND scope = 'loopwatch.events'
        AND lower(hex(span_id)) IN {span_ids:Array(String)}
)
