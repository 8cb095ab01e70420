-- The model calls made in the range that pass the filters, each once: of the spans of one call the one of the
-- highest rank speaks for it. The key is the value of the dimension; of tags and attributes a list, of what it says itself.
SELECT {{filter_sets_of_span}} run_id, agent, customer_id, input_tokens, cache_read_tokens, output_tokens, cost_usd,
    multiIf(
        {dimension:String} = 'model', toString(model),
        {dimension:String} = 'provider', toString(provider),
        {dimension:String} = 'agent', toString(agent),
        {dimension:String} = 'version', toString(agent_version),
        {dimension:String} = 'prompt_version', toString(prompt_version),
        {dimension:String} = 'service', toString(service),
        {dimension:String} = 'customer', customer_id,
        {dimension:String} = 'environment', toString(environment),
        {dimension:String} = 'user', user_id,
        {dimension:String} = 'conversation', conversation_id,
        {dimension:String} = 'tag', tags::Array(String),
        {dimension:String} = 'attribute', arrayFilter(label -> label != '', [label_of(attributes)]),
        ''
    ) AS key
FROM spans FINAL
WHERE project = {project:String}
    AND start_time >= fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC')
    AND start_time < fromUnixTimestamp64Nano({to_ns:Int64}, 'UTC')
    -- the sorting key holds the minute: with it only the range's own stretch of each part is read
    AND toStartOfMinute(start_time) >= toStartOfMinute(fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC'))
    AND toStartOfMinute(start_time) <= toStartOfMinute(fromUnixTimestamp64Nano({to_ns:Int64}, 'UTC'))
    AND kind = 'model_call'
    AND (empty({environment:Array(String)}) OR has({environment:Array(String)}, environment))
    AND (empty({agent:Array(String)}) OR has({agent:Array(String)}, agent))
    AND (empty({version:Array(String)}) OR has({version:Array(String)}, agent_version))
    AND (empty({model:Array(String)}) OR has({model:Array(String)}, model))
    AND (empty({customer:Array(String)}) OR has({customer:Array(String)}, customer_id))
    -- what the runs know to be further spans of a call that is counted already; no run is believed to last a week, so
    -- that it makes no difference when the week is that of a longer range (see filter_sets)
    AND (run_id, span_id) NOT IN (
        SELECT run_id, arrayJoin(duplicate_span_ids)
        FROM runs FINAL
        WHERE project = {project:String}
            AND start_time >= fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC') - INTERVAL 7 DAY
            AND start_time < fromUnixTimestamp64Nano({to_ns:Int64}, 'UTC')
            AND notEmpty(duplicate_span_ids)
    )
ORDER BY call_rank DESC, span_id
LIMIT 1 BY {{filter_set}} trace_id, if(response_id = '', toString(span_id), response_id)
