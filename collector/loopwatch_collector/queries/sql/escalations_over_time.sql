-- title: Escalations over time
-- description: Escalated runs beside all runs, in buckets of their start time.
-- param: step_seconds UInt32 = 3600 | Width of a bucket in seconds
-- column: bucket time | Start of the bucket
-- column: runs runs | Runs that started in the bucket
-- column: escalated runs | Of these, handed to a human
-- with: selected_runs
SELECT
    toStartOfInterval(start_time, toIntervalSecond({step_seconds:UInt32})) AS bucket,
    count() AS runs,
    countIf(outcome = 'escalated') AS escalated
FROM selected_runs
GROUP BY bucket
ORDER BY bucket
