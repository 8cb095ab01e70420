-- Where the spans that the rows in force were derived from lie in time.
SELECT run_id, toUnixTimestamp64Nano(first_span_time) AS first_ns, toUnixTimestamp64Nano(last_span_time) AS last_ns
FROM runs FINAL
WHERE project = {project:String} AND run_id IN {run_ids:Array(String)}
