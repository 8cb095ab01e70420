-- title: Tool calls over time
-- description: Calls and errors by tool, in buckets of the call's start time.
-- param: step_seconds UInt32 = 3600 | Width of a bucket in seconds
-- column: bucket time | Start of the bucket
-- column: tool text | The tool
-- column: calls calls | Calls of it
-- column: errors calls | Calls with the outcome error
-- with: selected_runs, selected_spans
-- threads: 2
SELECT
    toStartOfInterval(start_time, toIntervalSecond({step_seconds:UInt32})) AS bucket,
    tool,
    count() AS calls,
    countIf(tool_outcome = 'error') AS errors
FROM selected_spans
WHERE kind = 'tool_call'
GROUP BY bucket, tool
ORDER BY bucket, tool
