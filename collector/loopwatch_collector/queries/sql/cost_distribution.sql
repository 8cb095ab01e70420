-- title: Distribution of cost
-- description: Runs by what they cost, in steps of a quarter of a power of ten; runs without cost or price are left out.
-- column: low_usd usd | Lower end of the step, included
-- column: high_usd usd | Upper end of the step, excluded
-- column: runs runs | Runs in it
-- column: cost_usd usd | Their cost in all
-- with: selected_runs
SELECT
    pow(10, step / 4.) AS low_usd,
    pow(10, (step + 1) / 4.) AS high_usd,
    count() AS runs,
    sum(selected_runs.cost_usd) AS cost_usd
FROM selected_runs
WHERE selected_runs.cost_usd > 0
GROUP BY toInt32(floor(log10(toFloat64(assumeNotNull(selected_runs.cost_usd))) * 4)) AS step
ORDER BY low_usd
