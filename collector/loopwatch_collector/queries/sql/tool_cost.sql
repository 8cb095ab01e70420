-- title: Cost by tool
-- description: What tools cost by the results they put into the model's input: each model call's input is charged to the tool results that are new in it, by their bytes; the rest, and all output, to (no tool). The parts add up to the whole.
-- column: tool text | The tool, or (no tool)
-- column: runs runs | Runs in which it was charged
-- column: cost_usd usd | Charged to it
-- column: share ratio | Of all cost
-- column: cost_per_run_usd usd | Charged in a run, on average
-- with: selected_runs
WITH charges AS (
    SELECT run_id, tool, cost FROM selected_runs ARRAY JOIN tool_cost_names AS tool, tool_costs_usd AS cost
)
SELECT
    tool,
    count() AS runs,
    sum(cost) AS cost_usd,
    toFloat64(cost_usd) / nullIf(toFloat64((SELECT sum(cost) FROM charges)), 0) AS share,
    toFloat64(cost_usd) / runs AS cost_per_run_usd
FROM charges
GROUP BY tool
ORDER BY cost_usd DESC, tool
