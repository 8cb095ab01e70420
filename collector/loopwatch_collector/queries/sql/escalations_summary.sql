-- title: Escalations at a glance
-- description: How often runs are handed to a human, and how far they got. The rate is a share of the runs that have ended.
-- column: runs runs | Runs that started in the range
-- column: escalated runs | Handed to a human
-- column: escalation_rate ratio | escalated / ended
-- column: mean_iterations count | Iterations of an escalated run, on average
-- column: mean_cost_usd usd | Cost of an escalated run, on average
-- with: selected_runs
SELECT
    count() AS runs,
    countIf(outcome = 'escalated') AS escalated,
    escalated / nullIf(countIf(ended), 0) AS escalation_rate,
    avgOrNullIf(iterations, outcome = 'escalated') AS mean_iterations,
    avgOrNullIf(toFloat64(cost_usd), outcome = 'escalated') AS mean_cost_usd
FROM selected_runs
