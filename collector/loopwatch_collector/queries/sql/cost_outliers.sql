-- title: Unusually expensive runs
-- description: Runs that cost more than so many times the median of their agent's runs in the range.
-- param: factor Float64 = 5 | How many times the median counts as unusual
-- column: run_id text | The run
-- column: agent text | Its agent
-- column: start_time time | When it started
-- column: outcome text | How it ended
-- column: iterations count | Passes of its loop
-- column: cost_usd usd | What it cost
-- column: median_cost_usd usd | Median of its agent's runs
-- column: times_median ratio | cost_usd / median_cost_usd
-- with: selected_runs
WITH medians AS (
    SELECT agent, quantileExactInclusive(0.5)(toFloat64(assumeNotNull(cost_usd))) AS median
    FROM selected_runs
    WHERE isNotNull(cost_usd)
    GROUP BY agent
)
SELECT
    run_id,
    agent,
    start_time,
    outcome,
    iterations,
    cost_usd,
    median AS median_cost_usd,
    toFloat64(cost_usd) / median AS times_median
FROM selected_runs
INNER JOIN medians USING (agent)
WHERE median > 0 AND toFloat64(cost_usd) > {factor:Float64} * median
ORDER BY times_median DESC, run_id
