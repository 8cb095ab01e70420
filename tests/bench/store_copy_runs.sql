-- The runs of a day again, so many days earlier; see store_copy_spans.sql.
INSERT INTO runs
SELECT * REPLACE (
    concat(substring(run_id, 1, 28), lower(hex({shift:UInt16}))) AS run_id,
    start_time - toIntervalDay({shift:UInt16}) AS start_time,
    concat(substring(trace_id, 1, 14), reinterpretAsFixedString({shift:UInt16}))::FixedString(16) AS trace_id,
    first_span_time - toIntervalDay({shift:UInt16}) AS first_span_time,
    last_span_time - toIntervalDay({shift:UInt16}) AS last_span_time,
    last_activity_time - toIntervalDay({shift:UInt16}) AS last_activity_time
)
FROM runs
WHERE project = {project:String} AND runs.start_time >= {from:Date} AND runs.start_time < {to:Date}
SETTINGS optimize_on_insert = 1
