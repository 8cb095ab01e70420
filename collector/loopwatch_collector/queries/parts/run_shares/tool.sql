-- One row per run and tool. Tokens have no tool: only the cost is charged to tools.
SELECT
    run_id,
    start_time,
    toString(name) AS key,
    toUInt64(0) AS model_calls,
    toUInt64(0) AS input_tokens,
    toUInt64(0) AS output_tokens,
    toUInt64(0) AS cache_read_tokens,
    toUInt64(0) AS cache_write_tokens,
    toUInt64(0) AS unpriced_tokens,
    if(isNull(selected_runs.cost_usd), NULL, toNullable(cost)) AS cost_usd
FROM selected_runs
ARRAY JOIN tool_cost_names AS name, tool_costs_usd AS cost
