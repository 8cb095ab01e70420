-- Ids as the hex text every other tool shows; everything else as it is stored.
SELECT * REPLACE (
    lower(hex(trace_id)) AS trace_id,
    lower(hex(span_id)) AS span_id,
    if(parent_span_id = unhex('0000000000000000'), '', lower(hex(parent_span_id))) AS parent_span_id,
    arrayMap(hash -> lower(hex(hash)), content_hashes) AS content_hashes
)
FROM spans FINAL
WHERE project = {project:String}
    AND start_time >= fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC')
    AND start_time < fromUnixTimestamp64Nano({to_ns:Int64}, 'UTC')
    AND toStartOfMinute(start_time) >= toStartOfMinute(fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC'))
    AND toStartOfMinute(start_time) <= toStartOfMinute(fromUnixTimestamp64Nano({to_ns:Int64}, 'UTC'))
    -- what another span tells
    AND kind != 'event'
ORDER BY start_time, trace_id, span_id
