-- One run, with the extent of its spans.
SELECT
{{summary}},
    toUnixTimestamp64Nano(first_span_time) AS first_span_ns,
    toUnixTimestamp64Nano(last_span_time) AS last_span_ns
FROM runs FINAL
WHERE project = {project:String} AND run_id = {run_id:String}
