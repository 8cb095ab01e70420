-- Where the spans of one run lie, and those that report a call another span reports already.
SELECT
    toUnixTimestamp64Nano(start_time) AS start_ns,
    toUnixTimestamp64Nano(first_span_time) AS first_span_ns,
    toUnixTimestamp64Nano(last_span_time) AS last_span_ns,
    duplicate_span_ids
FROM runs FINAL
WHERE project = {project:String} AND run_id = {run_id:String}
