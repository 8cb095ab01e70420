-- A day of spans again, so many days earlier: traces, runs and calls of other ids, the same everything else. The ids keep
-- their beginnings, so that the rows are in order as they are read.
INSERT INTO spans
SELECT * REPLACE (
    concat(substring(trace_id, 1, 14), reinterpretAsFixedString({shift:UInt16}))::FixedString(16) AS trace_id,
    start_time - toIntervalDay({shift:UInt16}) AS start_time,
    concat(substring(run_id, 1, 28), lower(hex({shift:UInt16}))) AS run_id,
    arrayMap(time -> time - toIntervalDay({shift:UInt16}), event_times) AS event_times
)
FROM spans
WHERE project = {project:String} AND toDate(spans.start_time) = {day:Date}
SETTINGS optimize_on_insert = 1, max_insert_block_size = 10000000, min_insert_block_size_rows = 10000000, min_insert_block_size_bytes = 1000000000
