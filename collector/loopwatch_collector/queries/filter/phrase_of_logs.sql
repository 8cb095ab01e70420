UNION DISTINCT
-- what came in logs, by the span each event belongs to; the texts of traces without such events are not read again
SELECT run_id
FROM spans
WHERE project = {project:String}
    AND start_time >= fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC') - INTERVAL 1 HOUR
    AND start_time < fromUnixTimestamp64Nano({to_ns:Int64}, 'UTC') + INTERVAL 1 DAY
    AND (trace_id, span_id) IN (
        SELECT log_events.trace_id, log_events.span_id
        FROM log_events
        LEFT JOIN (
{{contents_of_logs}}
        ) AS matched ON matched.trace_id = log_events.trace_id
        WHERE project = {project:String}
            AND time >= fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC') - INTERVAL 1 HOUR
            AND time < fromUnixTimestamp64Nano({to_ns:Int64}, 'UTC') + INTERVAL 1 DAY
            AND (
                hasAny(content_hashes, matched.hashes)
                OR arrayExists(text -> match(text, {{{pattern}}:String}), mapValues(attributes))
            )
    )
