-- The bodies the spans of one trace refer to. Rows of one hash are the same, so it is no matter which is read.
SELECT hash, body
FROM contents
WHERE project = {project:String}
    AND day >= toDate(fromUnixTimestamp64Nano({first_ns:Int64}, 'UTC'))
    AND day <= toDate(fromUnixTimestamp64Nano({last_ns:Int64}, 'UTC'))
    AND trace_id = unhex({trace_id:String})
    AND hash IN {hashes:Array(UInt64)}
