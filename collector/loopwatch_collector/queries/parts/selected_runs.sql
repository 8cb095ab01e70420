-- The runs that started in the range and pass the filters. Every question is about these, so that numbers of
-- different questions about one range add up.
SELECT
    {{filter_sets_of_run}} * EXCEPT (outcome),
    -- nothing heard from a run for an hour, and no end: nobody will send one any more
    if(ended OR last_activity_time > fromUnixTimestamp64Nano({now_ns:Int64}, 'UTC') - INTERVAL 1 HOUR, outcome, 'abandoned') AS outcome
FROM runs FINAL
WHERE project = {project:String}
    AND start_time >= fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC')
    AND start_time < fromUnixTimestamp64Nano({to_ns:Int64}, 'UTC')
    AND (empty({environment:Array(String)}) OR has({environment:Array(String)}, environment))
    AND (empty({agent:Array(String)}) OR has({agent:Array(String)}, agent))
    AND (empty({version:Array(String)}) OR has({version:Array(String)}, agent_version))
    AND (empty({model:Array(String)}) OR hasAny({model:Array(String)}, model_names))
    AND (empty({customer:Array(String)}) OR has({customer:Array(String)}, customer_id))
    AND {{filter}}
