-- title: Reasons for escalation
-- description: Escalated runs by reason and by the last tool they called.
-- column: reason text | What the agent gave as reason
-- column: last_tool text | The last tool it called
-- column: runs runs | Escalated runs
-- column: mean_iterations count | Iterations until then, on average
-- column: mean_cost_usd usd | Cost until then, on average
-- column: example_run_id text | The latest of these runs
-- with: selected_runs
SELECT
    escalation_reason AS reason,
    last_tool,
    count() AS runs,
    avg(iterations) AS mean_iterations,
    avg(toFloat64(cost_usd)) AS mean_cost_usd,
    argMax(run_id, start_time) AS example_run_id
FROM selected_runs
WHERE outcome = 'escalated'
GROUP BY reason, last_tool
ORDER BY runs DESC, reason, last_tool
