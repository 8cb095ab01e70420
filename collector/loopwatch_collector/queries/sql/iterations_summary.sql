-- title: Iterations of a run
-- description: How many passes runs take, and how many run into their cap. Percentiles interpolate linearly between ranks.
-- column: runs runs | Runs that started in the range
-- column: iterations count | Their iterations in all
-- column: mean count | Iterations of a run, on average
-- column: p50 count | Median
-- column: p95 count | 95th percentile
-- column: p99 count | 99th percentile
-- column: max count | The longest run
-- column: capped_runs runs | Runs with a cap on iterations
-- column: runs_at_cap runs | Of these, runs that reached it
-- column: share_at_cap ratio | runs_at_cap / capped_runs
-- with: selected_runs
SELECT
    count() AS runs,
    sum(selected_runs.iterations) AS iterations,
    avgOrNull(selected_runs.iterations) AS mean,
    quantileExactInclusiveOrNull(0.5)(selected_runs.iterations) AS p50,
    quantileExactInclusiveOrNull(0.95)(selected_runs.iterations) AS p95,
    quantileExactInclusiveOrNull(0.99)(selected_runs.iterations) AS p99,
    maxOrNull(selected_runs.iterations) AS max,
    countIf(iteration_cap > 0) AS capped_runs,
    countIf(iteration_cap > 0 AND selected_runs.iterations >= iteration_cap) AS runs_at_cap,
    runs_at_cap / nullIf(capped_runs, 0) AS share_at_cap
FROM selected_runs
