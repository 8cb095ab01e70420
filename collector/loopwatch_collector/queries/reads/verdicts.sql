-- The verdicts that count, on one run or given in a range, the latest first.
SELECT run_id, span_id, name, author, score, label, comment, toUnixTimestamp64Nano(verdicts.time) AS time_ns
FROM verdicts FINAL
WHERE project = {project:String}
    AND (empty({run_ids:Array(String)}) OR run_id IN {run_ids:Array(String)})
    AND (empty({names:Array(String)}) OR has({names:Array(String)}, name))
    AND time >= fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC')
    AND time < fromUnixTimestamp64Nano({to_ns:Int64}, 'UTC')
ORDER BY time_ns DESC, run_id, span_id, name, author
LIMIT {page_limit:UInt64}
