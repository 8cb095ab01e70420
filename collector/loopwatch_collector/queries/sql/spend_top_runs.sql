-- title: Runs that spend most
-- description: Runs by what their model calls made in the range cost, the dearest first, whenever the run began.
-- param: least_usd Float64 = 0 | Runs that spent less are left out
-- column: run_id text | The run
-- column: agent text | Its agent
-- column: customer_id text | Whom it ran for
-- column: model_calls calls | Model calls in the range
-- column: cost_usd usd | What they cost; none where no call has a price
-- column: tokens tokens | Their input and output
-- with: calls_in_range
SELECT
    {{filter_set}} run_id,
    any(calls_in_range.agent) AS agent,
    any(calls_in_range.customer_id) AS customer_id,
    count() AS model_calls,
    sum(calls_in_range.cost_usd) AS cost_usd,
    sum(input_tokens + output_tokens) AS tokens
FROM calls_in_range
GROUP BY {{filter_set}} run_id
HAVING {least_usd:Float64} <= 0 OR cost_usd >= {least_usd:Float64}
ORDER BY cost_usd DESC NULLS LAST, tokens DESC, run_id
