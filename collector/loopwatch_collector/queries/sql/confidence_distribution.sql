-- title: Confidence of decisions
-- description: Decisions by the confidence the agent stated, in tenths.
-- column: low ratio | Lower end of the tenth
-- column: decisions count | Decisions in it
-- column: runs runs | Runs with one
-- with: selected_runs, selected_spans, decisions
SELECT tenth / 10 AS low, count() AS decisions, uniqExact(run_id) AS runs
FROM decisions
GROUP BY toUInt8(least(9, floor(assumeNotNull(confidence) * 10))) AS tenth
ORDER BY low
