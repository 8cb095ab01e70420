-- A run, and the runs it started; its own row has own = 1.
SELECT
{{summary}},
    toUnixTimestamp64Nano(first_span_time) AS first_span_ns,
    toUnixTimestamp64Nano(last_span_time) AS last_span_ns,
    run_id = {run_id:String} AS own
FROM runs FINAL
WHERE project = {project:String} AND (run_id = {run_id:String} OR parent_run_id = {run_id:String})
ORDER BY own DESC, runs.start_time, run_id
LIMIT 1001
