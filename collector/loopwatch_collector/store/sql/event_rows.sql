-- The rows that plain events made of some runs, as far as putting them together needs them.
SELECT
    run_id,
    trace_id,
    span_id,
    parent_span_id,
    toUnixTimestamp64Nano(start_time) AS start_ns,
    duration_ns,
    row_version,
    kind,
    attributes['loopwatch.event'] AS part,
    tool,
    tool_call_id,
    attributes['loopwatch.event.result'] AS result_event,
    attributes['loopwatch.event.response'] AS response_event
FROM spans FINAL
WHERE project = {project:String}
    AND start_time >= fromUnixTimestamp64Nano({first_ns:Int64}, 'UTC')
    AND start_time <= fromUnixTimestamp64Nano({last_ns:Int64}, 'UTC')
    AND run_id IN {run_ids:Array(String)}
    AND scope = 'loopwatch.events'
