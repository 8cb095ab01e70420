-- title: Runs over time
-- description: Runs by outcome, in buckets of their start time.
-- param: step_seconds UInt32 = 3600 | Width of a bucket in seconds
-- column: bucket time | Start of the bucket
-- column: outcome text | How the runs ended, open and abandoned included
-- column: runs runs | Runs that started in the bucket
-- with: selected_runs
SELECT toStartOfInterval(start_time, toIntervalSecond({step_seconds:UInt32})) AS bucket, outcome, count() AS runs
FROM selected_runs
GROUP BY bucket, outcome
ORDER BY bucket, outcome
