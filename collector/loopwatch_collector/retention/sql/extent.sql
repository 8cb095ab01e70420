-- What there is of these runs: spans, the traces they are in, and the contents and log events that are only theirs.
WITH
    theirs AS (
        SELECT DISTINCT trace_id FROM spans WHERE project = {project:String} AND run_id IN {run_ids:Array(String)}
    ),
    other_spans AS (
        SELECT trace_id, span_id, content_hashes
        FROM spans
        WHERE project = {project:String} AND trace_id IN theirs AND run_id NOT IN {run_ids:Array(String)}
    ),
    other_span_ids AS (SELECT trace_id, span_id FROM other_spans),
    others AS (
        SELECT trace_id, arrayJoin(content_hashes) AS hash FROM other_spans
        UNION DISTINCT
        SELECT trace_id, arrayJoin(content_hashes) AS hash
        FROM log_events
        WHERE project = {project:String} AND trace_id IN theirs AND (trace_id, span_id) IN other_span_ids
    )
SELECT
    (SELECT count() FROM spans FINAL WHERE project = {project:String} AND run_id IN {run_ids:Array(String)}) AS spans,
    (SELECT count() FROM contents FINAL WHERE project = {project:String} AND trace_id IN theirs
        AND (trace_id, hash) NOT IN others) AS contents,
    (SELECT count() FROM log_events FINAL WHERE project = {project:String} AND trace_id IN theirs
        AND (trace_id, span_id) NOT IN other_span_ids) AS log_events,
    (SELECT count() FROM verdicts FINAL WHERE project = {project:String} AND run_id IN {run_ids:Array(String)}) AS verdicts,
    (SELECT groupArray(hex(trace_id)) FROM theirs) AS traces,
    (SELECT groupArray(concat(hex(trace_id), toString(hash))) FROM others) AS kept_contents,
    (SELECT groupUniqArray(concat(hex(trace_id), hex(span_id))) FROM other_spans) AS kept_spans
