SELECT body
FROM alerts FINAL
WHERE project = {project:String}
    AND started_at >= fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC')
    AND started_at < fromUnixTimestamp64Nano({to_ns:Int64}, 'UTC')
    AND (empty({states:Array(String)}) OR has({states:Array(String)}, state))
    AND (empty({rules:Array(String)}) OR has({rules:Array(String)}, rule))
    AND (empty({severities:Array(String)}) OR has({severities:Array(String)}, severity))
ORDER BY started_at DESC, alert_id
LIMIT {page_limit:UInt64}
