-- title: Spend by time of the call
-- description: What the model calls made in the range cost. A run that began earlier counts with the calls it made in the range, so a run that loops for hours shows while it does.
-- param: dimension Enum(all, model, agent, version, customer, environment, user, conversation) = all | What to tell apart
-- column: key text | Value of the dimension
-- column: runs runs | Runs that made a call in the range
-- column: model_calls calls | Model calls, each counted once
-- column: cost_usd usd | Sum over the calls that have a price; none where no call has one
-- column: tokens tokens | Input and output
-- column: unpriced_tokens tokens | Tokens of calls whose model has no price
SELECT
    multiIf(
        {dimension:String} = 'model', toString(model),
        {dimension:String} = 'agent', toString(agent),
        {dimension:String} = 'version', toString(agent_version),
        {dimension:String} = 'customer', customer_id,
        {dimension:String} = 'environment', toString(environment),
        {dimension:String} = 'user', user_id,
        {dimension:String} = 'conversation', conversation_id,
        ''
    ) AS key,
    uniqExact(run_id) AS runs,
    count() AS model_calls,
    sum(counted.cost_usd) AS cost_usd,
    sum(input_tokens + output_tokens) AS tokens,
    sumIf(input_tokens + output_tokens, isNull(counted.cost_usd)) AS unpriced_tokens
FROM (
    SELECT run_id, model, agent, agent_version, customer_id, environment, user_id, conversation_id,
        input_tokens, output_tokens, cost_usd
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
    ORDER BY call_rank DESC, span_id
    LIMIT 1 BY if(call_key = '', toString(span_id), call_key)
) AS counted
GROUP BY key
ORDER BY cost_usd DESC NULLS LAST, tokens DESC, key
