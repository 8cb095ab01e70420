-- One row per run and model: what of the run's calls, tokens and cost belongs to it.
SELECT
    run_id,
    start_time,
    toString(name) AS key,
    toUInt64(calls) AS model_calls,
    input AS input_tokens,
    output AS output_tokens,
    cache_read AS cache_read_tokens,
    cache_write AS cache_write_tokens,
    unpriced AS unpriced_tokens,
    -- a model none of whose calls has a price, or tells its tokens, has no cost, not a cost of zero
    if(cost = 0 AND (unpriced > 0 OR isNull(selected_runs.cost_usd)), NULL, toNullable(cost)) AS cost_usd
FROM selected_runs
ARRAY JOIN
    model_names AS name,
    model_call_counts AS calls,
    model_input_tokens AS input,
    model_output_tokens AS output,
    model_cache_read_tokens AS cache_read,
    model_cache_write_tokens AS cache_write,
    model_unpriced_tokens AS unpriced,
    model_costs_usd AS cost
