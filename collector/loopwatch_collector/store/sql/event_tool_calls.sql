-- The tool calls of runs that come as single events, with their arguments and the event that brought the result.
SELECT call.run_id, call.span_id, call.start_ns, call.tool, call.tool_call_id, call.result_event, content.body
FROM (
    SELECT
        run_id, trace_id, span_id, toUnixTimestamp64Nano(start_time) AS start_ns, tool, tool_call_id,
        attributes['loopwatch.event.result'] AS result_event,
        content_hashes[indexOf(content_roles, 'arguments')] AS arguments_hash
    FROM spans FINAL
    WHERE project = {project:String}
        AND start_time >= fromUnixTimestamp64Nano({first_ns:Int64}, 'UTC')
        AND start_time <= fromUnixTimestamp64Nano({last_ns:Int64}, 'UTC')
        AND run_id IN {run_ids:Array(String)}
        AND kind = 'tool_call'
) AS call
LEFT ANY JOIN (
    SELECT trace_id, hash, body
    FROM contents
    WHERE project = {project:String}
        AND day >= toDate(fromUnixTimestamp64Nano({first_ns:Int64}, 'UTC'))
        AND day <= toDate(fromUnixTimestamp64Nano({last_ns:Int64}, 'UTC'))
        AND trace_id IN (SELECT unhex(arrayJoin({run_ids:Array(String)})))
) AS content ON content.trace_id = call.trace_id AND content.hash = call.arguments_hash
ORDER BY call.start_ns, call.span_id
