-- The runs of a day again, so many days earlier; see store_copy_spans.sql.
INSERT INTO runs
SELECT * REPLACE (
    lower(hex(sipHash128(run_id, {shift:UInt32}))) AS run_id,
    start_time - toIntervalDay({shift:UInt32}) AS start_time,
    sipHash128(trace_id, {shift:UInt32}) AS trace_id,
    first_span_time - toIntervalDay({shift:UInt32}) AS first_span_time,
    last_span_time - toIntervalDay({shift:UInt32}) AS last_span_time,
    last_activity_time - toIntervalDay({shift:UInt32}) AS last_activity_time
)
FROM runs FINAL
WHERE project = {project:String} AND toDate(runs.start_time) = {day:Date}
SETTINGS optimize_on_insert = 1
