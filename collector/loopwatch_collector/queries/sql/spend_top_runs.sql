-- title: Runs that spend most
-- description: Runs by what their model calls made in the range cost, the dearest first, whenever the run began.
-- param: least_usd Float64 = 0 | Runs that spent less are left out
-- param: dimension Enum(all, model, provider, agent, version, prompt_version, service, customer, environment, user, conversation, tag, attribute) = all | What tells calls apart, as in spend_by; only those count that have the key
-- param: attribute String =  | Which attribute of the sender's own, with the dimension attribute
-- param: key String =  | The value of the dimension; nothing to say with all
-- column: run_id text | The run
-- column: agent text | Its agent
-- column: customer_id text | Whom it ran for
-- column: model_calls calls | Model calls in the range
-- column: cost_usd usd | What they cost; none where no call has a price
-- column: tokens tokens | Their input and output
-- with: label_of, labels_told, calls_in_range, labels_of_callers by dimension
SELECT
    {{filter_set}} run_id,
    any(calls_in_range.agent) AS agent,
    any(calls_in_range.customer_id) AS customer_id,
    count() AS model_calls,
    sum(calls_in_range.cost_usd) AS cost_usd,
    sum(input_tokens + output_tokens) AS tokens
FROM calls_in_range
{{when dimension = tag, attribute}} LEFT ANY JOIN labels_of_callers USING (run_id)
WHERE multiIf(
    {dimension:String} = 'all', 1,
    {dimension:String} = 'tag', has(labels_told(calls_in_range.key, labels), {key:String}),
    {dimension:String} = 'attribute', has(labels_told(calls_in_range.key, labels), {key:String}),
    calls_in_range.key = {key:String}
)
GROUP BY {{filter_set}} run_id
HAVING {least_usd:Float64} <= 0 OR cost_usd >= {least_usd:Float64}
ORDER BY cost_usd DESC NULLS LAST, tokens DESC, run_id
