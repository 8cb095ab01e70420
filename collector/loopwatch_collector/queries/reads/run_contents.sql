-- The bodies a run's spans refer to.
SELECT hash, body
FROM contents FINAL
WHERE project = {project:String}
    AND day >= toDate(fromUnixTimestamp64Nano({first_ns:Int64}, 'UTC'))
    AND day <= toDate(fromUnixTimestamp64Nano({last_ns:Int64}, 'UTC'))
    AND trace_id IN arrayMap(trace -> toFixedString(unhex(trace), 16), {trace_ids:Array(String)})
    AND hash IN {hashes:Array(UInt64)}
