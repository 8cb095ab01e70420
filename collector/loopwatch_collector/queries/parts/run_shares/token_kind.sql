-- One row per run and kind of token. Searches have no tokens, and a cost that was reported as a whole has no kind: told
-- where there are some, so that the parts add up to the whole.
SELECT
    run_id,
    start_time,
    kind AS key,
    toUInt64(selected_runs.model_calls) AS model_calls,
    toUInt64(if(place = 1, input - least(input, cache_read + cache_write), 0)) AS input_tokens,
    if(place = 4, output, 0) AS output_tokens,
    if(place = 2, cache_read, 0) AS cache_read_tokens,
    if(place = 3, cache_write, 0) AS cache_write_tokens,
    toUInt64(0) AS unpriced_tokens,
    if(isNull(run_cost_usd), NULL, toNullable(cost)) AS cost_usd
FROM (
    SELECT
        run_id,
        start_time,
        model_calls,
        input_tokens AS input,
        output_tokens AS output,
        cache_read_tokens AS cache_read,
        cache_write_tokens AS cache_write,
        cost_usd AS run_cost_usd,
        ['input', 'cache_read', 'cache_write', 'output', 'web_search', '(not split)'] AS kinds,
        [
            input_cost_usd, cache_read_cost_usd, cache_write_cost_usd, output_cost_usd, web_search_cost_usd,
            ifNull(cost_usd, 0) - input_cost_usd - cache_read_cost_usd - cache_write_cost_usd - output_cost_usd
                - web_search_cost_usd
        ] AS costs
    FROM selected_runs
) AS selected_runs
ARRAY JOIN kinds AS kind, costs AS cost, [1, 2, 3, 4, 5, 6] AS place
WHERE place <= 4 OR (isNotNull(run_cost_usd) AND cost != 0)
