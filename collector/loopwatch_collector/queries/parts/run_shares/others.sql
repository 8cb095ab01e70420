-- One row per run: all its calls, tokens and cost belong to its one value of the dimension.
SELECT
    run_id,
    start_time,
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
    ) AS key,
    toUInt64(selected_runs.model_calls) AS model_calls,
    input_tokens,
    output_tokens,
    cache_read_tokens,
    cache_write_tokens,
    unpriced_tokens,
    cost_usd
FROM selected_runs
