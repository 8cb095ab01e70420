-- title: Retries of tools
-- description: Calls that repeat a failed call of the same run: same tool, same arguments. Where a sender records no arguments, the next call of the tool counts.
-- column: tool text | The tool
-- column: failed calls | Calls with the outcome error
-- column: retried calls | Of these, tried again by a later call of the run
-- column: recovered calls | Of these, where the next try succeeded
-- column: recovery_rate ratio | recovered / retried
-- column: retry_duration_ns ns | Time spent in these further tries
-- with: selected_runs, selected_spans
WITH calls AS (
    SELECT
        tool,
        tool_outcome,
        duration_ns,
        leadInFrame(tool_outcome) OVER next_try AS next_outcome,
        leadInFrame(duration_ns) OVER next_try AS next_duration_ns,
        leadInFrame(1) OVER next_try AS has_next
    FROM selected_spans
    WHERE kind = 'tool_call'
    WINDOW next_try AS (
        PARTITION BY run_id, tool, arguments_hash ORDER BY start_time, span_id
        ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
    )
)
SELECT
    tool,
    countIf(tool_outcome = 'error') AS failed,
    countIf(tool_outcome = 'error' AND has_next = 1) AS retried,
    countIf(tool_outcome = 'error' AND has_next = 1 AND next_outcome != 'error') AS recovered,
    recovered / nullIf(retried, 0) AS recovery_rate,
    sumIf(next_duration_ns, tool_outcome = 'error' AND has_next = 1) AS retry_duration_ns
FROM calls
GROUP BY tool
HAVING failed > 0
ORDER BY failed DESC, tool
