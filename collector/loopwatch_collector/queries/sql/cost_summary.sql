-- title: What a run costs
-- description: Cost of a run, on average and at the edges, of the runs whose calls have a price; and what caching saved.
-- column: runs runs | Runs with a cost
-- column: cost_usd usd | Their cost in all
-- column: mean_cost_usd usd | Of a run, on average
-- column: p50_cost_usd usd | Median
-- column: p95_cost_usd usd | 95th percentile
-- column: p99_cost_usd usd | 99th percentile
-- column: max_cost_usd usd | The dearest run
-- column: completed runs | Runs that completed
-- column: cost_per_completed_usd usd | All cost by completed runs: what a result costs, failures included
-- column: cache_hit_rate ratio | Input tokens read from the cache / all input tokens
-- column: unpriced_tokens tokens | Tokens of calls whose model has no price
-- with: selected_runs
SELECT
    countIf(isNotNull(selected_runs.cost_usd)) AS runs,
    sum(selected_runs.cost_usd) AS cost_usd,
    avgOrNull(toFloat64(selected_runs.cost_usd)) AS mean_cost_usd,
    quantileExactInclusiveOrNull(0.5)(toFloat64(selected_runs.cost_usd)) AS p50_cost_usd,
    quantileExactInclusiveOrNull(0.95)(toFloat64(selected_runs.cost_usd)) AS p95_cost_usd,
    quantileExactInclusiveOrNull(0.99)(toFloat64(selected_runs.cost_usd)) AS p99_cost_usd,
    max(selected_runs.cost_usd) AS max_cost_usd,
    countIf(outcome = 'completed') AS completed,
    toFloat64(cost_usd) / nullIf(completed, 0) AS cost_per_completed_usd,
    sum(cache_read_tokens) / nullIf(sum(input_tokens), 0) AS cache_hit_rate,
    sum(selected_runs.unpriced_tokens) AS unpriced_tokens
FROM selected_runs
