-- title: Spend by time of the call
-- description: What the model calls made in the range cost. A run that began earlier counts with the calls it made in the range, so a run that loops for hours shows while it does.
-- param: dimension Enum(all, model, provider, agent, version, prompt_version, service, customer, environment, user, conversation, tag, attribute) = all | What to tell apart; with tag and attribute a call counts for each value its own span says, or else its run has
-- param: attribute String =  | Which attribute of the sender's own (of a span, or of its resource), with the dimension attribute
-- column: key text | Value of the dimension
-- column: runs runs | Runs that made a call in the range
-- column: model_calls calls | Model calls, each counted once
-- column: cost_usd usd | Sum over the calls that have a price; none where no call has one
-- column: cost_noise_usd usd | How far chance alone moves the cost: the root of the sum of the runs' squared costs
-- column: cost_per_run_usd usd | cost_usd / runs
-- column: cost_per_run_noise_usd usd | cost_noise_usd / runs
-- column: tokens tokens | Input and output
-- column: unpriced_tokens tokens | Tokens of calls whose model has no price
-- column: uncached_share ratio | Share of the input tokens that was not read from a prompt cache
-- with: label_of, labels_told, calls_in_range, labels_of_callers by dimension
-- threads: 2
SELECT
    {{filter_set}} key,
    count() AS runs,
    sum(by_run.model_calls) AS model_calls,
    sum(by_run.cost_usd) AS cost_usd,
    sqrt(sum(pow(toFloat64(by_run.cost_usd), 2))) AS cost_noise_usd,
    cost_usd / runs AS cost_per_run_usd,
    cost_noise_usd / runs AS cost_per_run_noise_usd,
    sum(by_run.tokens) AS tokens,
    sum(by_run.unpriced_tokens) AS unpriced_tokens,
    1 - sum(by_run.cache_read_tokens) / nullIf(sum(by_run.input_tokens), 0) AS uncached_share
FROM (
    SELECT
        {{filter_set}} multiIf(
            {dimension:String} = 'tag', arrayJoin(labels_told(calls_in_range.key, labels)),
            {dimension:String} = 'attribute', arrayJoin(labels_told(calls_in_range.key, labels)),
            calls_in_range.key
        ) AS key,
        run_id,
        count() AS model_calls,
        sum(calls_in_range.cost_usd) AS cost_usd,
        sum(calls_in_range.input_tokens + calls_in_range.output_tokens) AS tokens,
        sum(calls_in_range.input_tokens) AS input_tokens,
        sum(calls_in_range.cache_read_tokens) AS cache_read_tokens,
        sumIf(calls_in_range.input_tokens + calls_in_range.output_tokens, isNull(calls_in_range.cost_usd)) AS unpriced_tokens
    FROM calls_in_range
    {{when dimension = tag, attribute}} LEFT ANY JOIN labels_of_callers USING (run_id)
    GROUP BY {{filter_set}} key, run_id
) AS by_run
GROUP BY {{filter_set}} key
ORDER BY cost_usd DESC NULLS LAST, tokens DESC, key
