-- The model calls of one hour, with everything a price depends on and what they cost so far.
SELECT
    trace_id,
    span_id,
    run_id,
    toUnixTimestamp64Nano(start_time) AS start_ns,
    provider,
    model,
    status,
    service_tier,
    input_tokens,
    output_tokens,
    cache_read_tokens,
    cache_write_5m_tokens,
    cache_write_1h_tokens,
    reasoning_tokens,
    web_search_requests,
    reported_cost_usd,
    cost_usd,
    input_cost_usd,
    output_cost_usd,
    cache_read_cost_usd,
    cache_write_cost_usd,
    uncached_cost_usd
FROM spans FINAL
WHERE project = {project:String}
    AND start_time >= fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC')
    AND start_time < fromUnixTimestamp64Nano({to_ns:Int64}, 'UTC')
    AND kind = 'model_call'
