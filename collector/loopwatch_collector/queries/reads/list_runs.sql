-- The latest runs of one stretch of the range; the reader goes on to earlier stretches until it has enough.
SELECT
{{summary}}
FROM runs FINAL
WHERE project = {project:String}
    AND start_time >= fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC')
    AND start_time <= fromUnixTimestamp64Nano({to_ns:Int64}, 'UTC')
    AND (start_time, run_id) < (fromUnixTimestamp64Nano({before_ns:Int64}, 'UTC'), {before_run_id:String})
    AND (empty({environment:Array(String)}) OR has({environment:Array(String)}, environment))
    AND (empty({agent:Array(String)}) OR has({agent:Array(String)}, agent))
    AND (empty({version:Array(String)}) OR has({version:Array(String)}, agent_version))
    AND (empty({model:Array(String)}) OR hasAny({model:Array(String)}, model_names))
    AND (empty({customer:Array(String)}) OR has({customer:Array(String)}, customer_id))
    AND (empty({conversation:Array(String)}) OR has({conversation:Array(String)}, conversation_id))
    AND (empty({outcome:Array(String)}) OR has({outcome:Array(String)}, outcome))
    AND {{filter}}
ORDER BY runs.start_time DESC, run_id DESC
LIMIT {page_limit:UInt64}
