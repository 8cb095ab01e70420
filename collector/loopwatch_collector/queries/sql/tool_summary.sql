-- title: Tools
-- description: Calls, failures and latency by tool. The interval is Wilson's at 95 %: what the failure rate may be, given so few calls.
-- column: tool text | The tool
-- column: calls calls | Calls of it
-- column: errors calls | Calls with the outcome error
-- column: not_found calls | Calls that were answered: there is none
-- column: retryable_errors calls | Errors that may pass when tried again
-- column: error_rate ratio | errors / calls
-- column: error_rate_low ratio | Lower end of the interval
-- column: error_rate_high ratio | Upper end of the interval
-- column: p50_duration_ns ns | Median duration
-- column: p95_duration_ns ns | 95th percentile of the duration
-- column: runs runs | Runs that called it
-- with: selected_runs, selected_spans, wilson_low, wilson_high
-- threads: 2
SELECT
    tool,
    count() AS calls,
    countIf(tool_outcome = 'error') AS errors,
    countIf(tool_outcome = 'not_found') AS not_found,
    countIf(tool_outcome = 'error' AND tool_retryable = 1) AS retryable_errors,
    errors / calls AS error_rate,
    wilson_low(errors, calls) AS error_rate_low,
    wilson_high(errors, calls) AS error_rate_high,
    quantileExactInclusive(0.5)(duration_ns) AS p50_duration_ns,
    quantileExactInclusive(0.95)(duration_ns) AS p95_duration_ns,
    uniqExact(run_id) AS runs
FROM selected_spans
WHERE kind = 'tool_call'
GROUP BY tool
ORDER BY calls DESC, tool
