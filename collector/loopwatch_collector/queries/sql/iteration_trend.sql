-- title: Iterations over time
-- description: Iterations of a run, in buckets of its start time.
-- param: step_seconds UInt32 = 3600 | Width of a bucket in seconds
-- column: bucket time | Start of the bucket
-- column: runs runs | Runs that started in the bucket
-- column: mean count | Iterations of a run, on average
-- column: p95 count | 95th percentile
-- column: share_at_cap ratio | Share of the capped runs that reached their cap
-- with: selected_runs
SELECT
    toStartOfInterval(start_time, toIntervalSecond({step_seconds:UInt32})) AS bucket,
    count() AS runs,
    avg(iterations) AS mean,
    quantileExactInclusive(0.95)(iterations) AS p95,
    countIf(iteration_cap > 0 AND iterations >= iteration_cap) / nullIf(countIf(iteration_cap > 0), 0) AS share_at_cap
FROM selected_runs
GROUP BY bucket
ORDER BY bucket
