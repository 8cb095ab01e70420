-- What there is of these runs: spans, the traces they are in, and the contents only they refer to.
WITH
    theirs AS (
        SELECT DISTINCT trace_id FROM spans WHERE project = {project:String} AND run_id IN {run_ids:Array(String)}
    ),
    others AS (
        SELECT DISTINCT trace_id, arrayJoin(content_hashes) AS hash
        FROM spans
        WHERE project = {project:String} AND trace_id IN theirs AND run_id NOT IN {run_ids:Array(String)}
    )
SELECT
    (SELECT count() FROM spans FINAL WHERE project = {project:String} AND run_id IN {run_ids:Array(String)}) AS spans,
    (SELECT count() FROM contents FINAL WHERE project = {project:String} AND trace_id IN theirs
        AND (trace_id, hash) NOT IN others) AS contents,
    (SELECT groupArray(hex(trace_id)) FROM theirs) AS traces,
    (SELECT groupArray(concat(hex(trace_id), toString(hash))) FROM others) AS kept_contents
