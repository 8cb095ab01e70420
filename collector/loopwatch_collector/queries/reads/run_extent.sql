-- Where the spans of one run lie, those that report a call another span reports already, and how many events
-- senders put into logs: where none did, asking for those of the run would be a statement for nothing.
SELECT
    toUnixTimestamp64Nano(start_time) AS start_ns,
    toUnixTimestamp64Nano(first_span_time) AS first_span_ns,
    toUnixTimestamp64Nano(last_span_time) AS last_span_ns,
    duplicate_span_ids,
    (SELECT count() FROM log_events WHERE project = {project:String}) AS log_events
FROM runs FINAL
WHERE project = {project:String} AND run_id = {run_id:String}
