-- title: Satisfaction over time
-- description: Mean score of one verdict, in buckets of the start time of the runs it is on.
-- param: step_seconds UInt32 = 86400 | Width of a bucket in seconds
-- param: verdict_name String =  | Which verdict; empty for all
-- column: bucket time | Start of the bucket
-- column: verdicts count | Verdicts with a score
-- column: mean_score ratio | Their mean
-- with: selected_runs, selected_verdicts
SELECT
    toStartOfInterval(selected_runs.start_time, toIntervalSecond({step_seconds:UInt32})) AS bucket,
    count(score) AS verdicts,
    avgOrNull(score) AS mean_score
FROM selected_verdicts
INNER JOIN selected_runs ON selected_runs.run_id = selected_verdicts.run_id
WHERE isNotNull(score) AND ({verdict_name:String} = '' OR name = {verdict_name:String})
GROUP BY bucket
ORDER BY bucket
