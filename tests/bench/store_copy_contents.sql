-- The contents of a day again, so many days earlier; see store_copy_spans.sql.
INSERT INTO contents (project, trace_id, hash, day, body)
SELECT
    project,
    concat(substring(trace_id, 1, 14), reinterpretAsFixedString({shift:UInt16}))::FixedString(16) AS trace_id,
    hash,
    contents.day - toIntervalDay({shift:UInt16}) AS day,
    body
FROM contents
WHERE project = {project:String} AND contents.day = {day:Date}
