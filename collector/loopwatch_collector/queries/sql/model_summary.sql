-- title: Models
-- description: Calls, failures, tokens, latency and cost by model.
-- column: provider text | The provider
-- column: model text | The model
-- column: calls calls | Model calls, each counted once
-- column: errors calls | Calls that failed
-- column: error_rate ratio | errors / calls
-- column: input_tokens tokens | All input, cached input included
-- column: output_tokens tokens | All output
-- column: p50_duration_ns ns | Median duration
-- column: p95_duration_ns ns | 95th percentile of the duration
-- column: p50_ttft_ns ns | Median time to the first token, where it was recorded
-- column: cost_usd usd | Sum over the calls that have a price
-- column: runs runs | Runs that called it
-- with: selected_runs, selected_spans, counted_calls
-- threads: 2
SELECT
    provider,
    model,
    count() AS calls,
    countIf(status = 'error') AS errors,
    errors / calls AS error_rate,
    sum(counted_calls.input_tokens) AS input_tokens,
    sum(counted_calls.output_tokens) AS output_tokens,
    quantileExactInclusive(0.5)(duration_ns) AS p50_duration_ns,
    quantileExactInclusive(0.95)(duration_ns) AS p95_duration_ns,
    quantileExactInclusiveOrNullIf(0.5)(ttft_ns, ttft_ns > 0) AS p50_ttft_ns,
    sum(counted_calls.cost_usd) AS cost_usd,
    uniqExact(run_id) AS runs
FROM counted_calls
GROUP BY provider, model
ORDER BY calls DESC, provider, model
