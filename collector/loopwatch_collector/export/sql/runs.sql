SELECT * EXCEPT (is_deleted) REPLACE (lower(hex(trace_id)) AS trace_id)
FROM runs FINAL
WHERE project = {project:String}
    AND start_time >= fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC')
    AND start_time < fromUnixTimestamp64Nano({to_ns:Int64}, 'UTC')
ORDER BY start_time, run_id
SETTINGS do_not_merge_across_partitions_select_final = 1
