-- Events out of logs that belong to a run's spans. Senders write them when the span ends or a little later.
SELECT
    span_id,
    toUnixTimestamp64Nano(time) AS at_ns,
    name,
    content_roles,
    content_hashes,
    attributes
FROM log_events FINAL
WHERE project = {project:String}
    AND time >= fromUnixTimestamp64Nano({first_ns:Int64}, 'UTC')
    AND time <= fromUnixTimestamp64Nano({last_ns:Int64}, 'UTC')
    AND trace_id IN arrayMap(trace -> toFixedString(unhex(trace), 16), {trace_ids:Array(String)})
ORDER BY span_id, time, hash
LIMIT {page_limit:UInt32}
