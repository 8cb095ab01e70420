-- title: Latency
-- description: Quantiles of the duration of calls, by tool, model, provider or agent.
-- param: dimension Enum(tool, model, provider, agent) = tool | tool: tool calls; model and provider: model calls; agent: runs
-- column: key text | Value of the dimension
-- column: calls calls | Calls (runs for the dimension agent)
-- column: p50_duration_ns ns | Median
-- column: p90_duration_ns ns | 90th percentile
-- column: p95_duration_ns ns | 95th percentile
-- column: p99_duration_ns ns | 99th percentile
-- column: max_duration_ns ns | The longest
-- with: selected_runs, selected_spans, timed_calls
-- threads: 2
SELECT
    key,
    count() AS calls,
    quantileExactInclusive(0.5)(duration_ns) AS p50_duration_ns,
    quantileExactInclusive(0.9)(duration_ns) AS p90_duration_ns,
    quantileExactInclusive(0.95)(duration_ns) AS p95_duration_ns,
    quantileExactInclusive(0.99)(duration_ns) AS p99_duration_ns,
    max(duration_ns) AS max_duration_ns
FROM timed_calls
GROUP BY key
ORDER BY calls DESC, key
