-- Content is stored by the day its span started; the part of the range beyond that day is the caller's to leave out.
SELECT * REPLACE (lower(hex(trace_id)) AS trace_id, lower(hex(hash)) AS hash)
FROM contents FINAL
WHERE project = {project:String}
    AND day >= toDate(fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC'))
    AND day <= toDate(fromUnixTimestamp64Nano({to_ns:Int64} - 1, 'UTC'))
    AND {from_ns:Int64} < {to_ns:Int64}
ORDER BY trace_id, hash
SETTINGS do_not_merge_across_partitions_select_final = 1
