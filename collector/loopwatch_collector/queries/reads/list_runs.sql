-- The first runs of one stretch of the range in the order asked for, and their place in it: larger comes first, and
-- runs without a value come last. By time, the reader goes on to earlier stretches until it has enough.
WITH
    multiIf(
        {order_by:String} = 'duration', toInt128(duration_ns),
        {order_by:String} = 'cost', toInt128(ifNull(cost_usd, 0) * 1000000000000),
        {order_by:String} = 'tokens', toInt128(input_tokens + output_tokens),
        {order_by:String} = 'iterations', toInt128(runs.iterations),
        {order_by:String} = 'tool_errors', toInt128(runs.tool_errors),
        toInt128(toUnixTimestamp64Nano(runs.start_time))
    ) AS value
SELECT
{{summary}},
    multiIf(
        {order_by:String} = 'cost' AND isNull(cost_usd), toInt128('-1000000000000000000000000000000'),
        {descending:Bool}, value,
        -value
    ) AS place
FROM runs FINAL
WHERE project = {project:String}
    AND start_time >= fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC')
    AND start_time <= fromUnixTimestamp64Nano({to_ns:Int64}, 'UTC')
    AND (place, toUnixTimestamp64Nano(runs.start_time), run_id) < ({before_place:Int128}, {before_ns:Int64}, {before_run_id:String})
    AND (empty({environment:Array(String)}) OR has({environment:Array(String)}, environment))
    AND (empty({agent:Array(String)}) OR has({agent:Array(String)}, agent))
    AND (empty({version:Array(String)}) OR has({version:Array(String)}, agent_version))
    AND (empty({model:Array(String)}) OR hasAny({model:Array(String)}, model_names))
    AND (empty({customer:Array(String)}) OR has({customer:Array(String)}, customer_id))
    AND (empty({conversation:Array(String)}) OR has({conversation:Array(String)}, conversation_id))
    AND (empty({outcome:Array(String)}) OR has({outcome:Array(String)}, outcome))
    AND {{filter}}
ORDER BY place DESC, runs.start_time DESC, run_id DESC
LIMIT {page_limit:UInt64}
