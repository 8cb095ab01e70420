-- Gives verdicts out of logs the run they are on. A log names a trace, with a span or without, or a response; which run
-- that is of, and whether the span is the run's own, the span says. A trace alone is its outermost run's: the first
-- whose own span names no run above it, for spans within a run need not name that. Each that was found is written anew, and its first row, under
-- what the log had named, ends: it stays out although the log is sent again, for its end is the higher version.
INSERT INTO verdicts (project, run_id, span_id, name, author, score, label, comment, time, row_version, is_deleted)
WITH named AS (
    SELECT
        key,
        argMax(
            (run_id, if(kind = 'run', '', lower(hex(span_id)))),
            (if(key.2 = '', -toUnixTimestamp64Nano(start_time), 0), call_rank, span_id)
        ) AS place
    FROM spans FINAL
    ARRAY JOIN arrayFilter(key -> key.2 != 'response:' AND (key.2 != '' OR kind = 'run' AND parent_run_id = ''), [
        (lower(hex(trace_id)), ''),
        (lower(hex(trace_id)), lower(hex(span_id))),
        (lower(hex(trace_id)), concat('response:', response_id)),
        (concat('response:', response_id), concat('response:', response_id))
    ]) AS key
    WHERE project = {project:String}
        AND start_time >= fromUnixTimestamp64Nano({first_ns:Int64}, 'UTC')
        AND start_time <= fromUnixTimestamp64Nano({last_ns:Int64}, 'UTC')
        AND (lower(hex(trace_id)) IN {keys:Array(String)} OR concat('response:', response_id) IN {keys:Array(String)})
    GROUP BY key
)
SELECT
    given.project,
    if(ends, given.run_id, named.place.1),
    if(ends, given.span_id, named.place.2),
    given.name,
    given.author,
    if(ends, NULL, given.score),
    if(ends, '', given.label),
    if(ends, '', given.comment),
    given.time,
    given.row_version + ends,
    ends
FROM (
    SELECT * FROM verdicts FINAL WHERE project = {project:String} AND run_id IN {keys:Array(String)}
) AS given
INNER JOIN named ON named.key.1 = given.run_id AND named.key.2 = given.span_id
ARRAY JOIN [0, 1] AS ends
WHERE (named.place.1, named.place.2) != (given.run_id, given.span_id)
