-- Where the spans of these runs lie in time, as far as `runs` knows; all its versions, tombstones too.
SELECT
    run_id,
    toUnixTimestamp64Nano(min(first_span_time)) AS first_ns,
    toUnixTimestamp64Nano(max(last_span_time)) AS last_ns
FROM runs
WHERE project = {project:String} AND run_id IN {run_ids:Array(String)}
GROUP BY run_id
