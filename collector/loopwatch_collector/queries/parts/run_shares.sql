-- One row per run and key of the asked dimension: what of the run's calls, tokens and cost belongs to the key.
-- A run has several keys only where the dimension is the model or the kind of token.
SELECT
    run_id,
    start_time,
    share.1 AS key,
    share.2 AS model_calls,
    share.3 AS input_tokens,
    share.4 AS output_tokens,
    share.5 AS cache_read_tokens,
    share.6 AS cache_write_tokens,
    share.7 AS unpriced_tokens,
    share.8 AS cost_usd
FROM (SELECT run_id, start_time, arrayJoin(multiIf(
    {dimension:String} = 'model',
    arrayMap(
        (name, calls, input, output, cache_read, cache_write, unpriced, cost) ->
            (toString(name), toUInt64(calls), input, output, cache_read, cache_write, unpriced,
             -- a model none of whose calls has a price, or tells its tokens, has no cost, not a cost of zero
             if(cost = 0 AND (unpriced > 0 OR isNull(cost_usd)), NULL, toNullable(cost))),
        model_names, model_call_counts, model_input_tokens, model_output_tokens,
        model_cache_read_tokens, model_cache_write_tokens, model_unpriced_tokens, model_costs_usd
    ),
    {dimension:String} = 'tool',
    arrayMap(
        -- tokens have no tool: only the cost is charged to tools
        (name, cost) -> (
            toString(name), toUInt64(0), toUInt64(0), toUInt64(0), toUInt64(0), toUInt64(0), toUInt64(0),
            if(isNull(cost_usd), NULL, toNullable(cost))),
        tool_cost_names, tool_costs_usd
    ),
    {dimension:String} = 'token_kind',
    -- searches have no tokens, and a cost that was reported as a whole has no kind: told where there are some, so that
    -- the parts add up to the whole
    arrayFilter(part -> part.1 IN ('input', 'cache_read', 'cache_write', 'output') OR part.8 != 0, arrayMap(
        (kind, cost, place) -> (
            kind, toUInt64(model_calls),
            toUInt64(if(place = 1, input_tokens - least(input_tokens, cache_read_tokens + cache_write_tokens), 0)),
            if(place = 4, output_tokens, 0),
            if(place = 2, cache_read_tokens, 0),
            if(place = 3, cache_write_tokens, 0),
            toUInt64(0),
            if(isNull(cost_usd), NULL, toNullable(cost))),
        ['input', 'cache_read', 'cache_write', 'output', 'web_search', '(not split)'],
        [
            input_cost_usd, cache_read_cost_usd, cache_write_cost_usd, output_cost_usd, web_search_cost_usd,
            ifNull(cost_usd, 0) - input_cost_usd - cache_read_cost_usd - cache_write_cost_usd - output_cost_usd
                - web_search_cost_usd
        ],
        [1, 2, 3, 4, 5, 6]
    )),
    [(
        multiIf(
            {dimension:String} = 'agent', toString(agent),
            {dimension:String} = 'version', toString(agent_version),
            {dimension:String} = 'customer', customer_id,
            {dimension:String} = 'environment', toString(environment),
            {dimension:String} = 'user', user_id,
            {dimension:String} = 'conversation', conversation_id,
            {dimension:String} = 'outcome', outcome,
            {dimension:String} = 'prompt_version', trimBoth(concat(prompt_name, ' ', prompt_version)),
            ''
        ),
        toUInt64(model_calls), input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, unpriced_tokens, cost_usd
    )]
)) AS share
FROM selected_runs)
