-- The spans of one run in the order they started, from the stretch of time the run lies in.
SELECT
    trace_id,
    span_id,
    parent_span_id,
    kind,
    name,
    toUnixTimestamp64Nano(start_time) AS start_ns,
    duration_ns,
    iteration,
    step,
    status,
    error_type,
    error_message,
    agent,
    provider,
    model,
    response_id,
    input_tokens,
    output_tokens,
    cache_read_tokens,
    cache_write_5m_tokens + cache_write_1h_tokens AS cache_write_tokens,
    reasoning_tokens,
    cost_usd,
    stop_reason,
    ttft_ns,
    tool,
    tool_call_id,
    tool_outcome,
    tool_retryable,
    arguments_hash,
    arguments_bytes,
    result_hash,
    result_bytes,
    content_roles,
    content_hashes,
    event_names,
    arrayMap(time -> toUnixTimestamp64Nano(time), event_times) AS event_times_ns,
    event_attributes,
    attributes
FROM spans FINAL
WHERE project = {project:String}
    AND start_time >= fromUnixTimestamp64Nano({first_ns:Int64}, 'UTC')
    AND start_time <= fromUnixTimestamp64Nano({last_ns:Int64}, 'UTC')
    AND run_id = {run_id:String}
    -- what another span tells
    AND kind != 'event'
ORDER BY start_ns, span_id
LIMIT {page_limit:UInt64}
