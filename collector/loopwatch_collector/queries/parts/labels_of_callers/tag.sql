-- The tags of the runs that may have made the calls in the range; no run is believed to last a week.
{{any_range}} SELECT run_id, tags::Array(String) AS labels
FROM runs FINAL
WHERE project = {project:String}
    AND start_time >= fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC') - INTERVAL 7 DAY
    AND start_time < fromUnixTimestamp64Nano({to_ns:Int64}, 'UTC')
    AND last_span_time >= fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC')
    AND notEmpty(tags)
