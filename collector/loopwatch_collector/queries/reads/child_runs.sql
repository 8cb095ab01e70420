-- The runs a run started, in order. They lie within its own extent, give or take an hour of clocks that differ.
SELECT
{{summary}}
FROM runs FINAL
WHERE project = {project:String}
    AND parent_run_id = {run_id:String}
    AND start_time >= fromUnixTimestamp64Nano({first_ns:Int64}, 'UTC') - INTERVAL 1 HOUR
    AND start_time <= fromUnixTimestamp64Nano({last_ns:Int64}, 'UTC') + INTERVAL 1 HOUR
ORDER BY runs.start_time, run_id
LIMIT 1000
