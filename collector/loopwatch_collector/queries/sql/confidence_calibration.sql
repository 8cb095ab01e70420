-- title: Calibration of confidence
-- description: What agents' stated confidence is worth: decisions in tenths of confidence beside the mean verdict (0 to 1) on their runs. With verdict_name empty every verdict on the run with a score counts.
-- param: verdict_name String =  | Which verdict to hold against; empty for all
-- column: low ratio | Lower end of the tenth
-- column: decisions count | Decisions in it whose run has a verdict
-- column: mean_confidence ratio | What the agent stated, on average
-- column: mean_verdict ratio | What the verdicts say, on average
-- column: gap ratio | mean_confidence - mean_verdict: above zero is over-confident
-- with: selected_runs, selected_spans, decisions, selected_verdicts
WITH judged AS (
    SELECT run_id, avg(score) AS verdict
    FROM selected_verdicts
    WHERE span_id = '' AND score BETWEEN 0 AND 1 AND ({verdict_name:String} = '' OR name = {verdict_name:String})
    GROUP BY run_id
)
SELECT
    tenth / 10 AS low,
    count() AS decisions,
    avg(assumeNotNull(confidence)) AS mean_confidence,
    avg(assumeNotNull(verdict)) AS mean_verdict,
    mean_confidence - mean_verdict AS gap
FROM decisions
INNER JOIN judged ON judged.run_id = decisions.run_id
GROUP BY toUInt8(least(9, floor(assumeNotNull(confidence) * 10))) AS tenth
ORDER BY low
