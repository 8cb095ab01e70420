-- title: Tools by agent
-- description: Calls and failures of each tool in the hands of each agent: whether a tool fails for everybody or for one. The interval is Wilson's at 95 %.
-- column: tool text | The tool
-- column: agent text | The agent whose runs called it
-- column: calls calls | Calls of it
-- column: errors calls | Calls with the outcome error
-- column: error_rate ratio | errors / calls
-- column: error_rate_low ratio | Lower end of the interval
-- column: error_rate_high ratio | Upper end of the interval
-- column: runs runs | Runs that called it
-- with: selected_runs, selected_spans, wilson_low, wilson_high
-- threads: 2
SELECT
    tool,
    agent,
    count() AS calls,
    countIf(tool_outcome = 'error') AS errors,
    errors / calls AS error_rate,
    wilson_low(errors, calls) AS error_rate_low,
    wilson_high(errors, calls) AS error_rate_high,
    uniqExact(run_id) AS runs
FROM selected_spans
WHERE kind = 'tool_call'
GROUP BY tool, agent
ORDER BY calls DESC, tool, agent
