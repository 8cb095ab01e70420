-- What is known of runs that come as single events: when they began, and whether their own span is there.
SELECT
    run_id,
    toUnixTimestamp64Nano(start_time) AS start_ns,
    toUnixTimestamp64Nano(first_span_time) AS first_ns,
    toUnixTimestamp64Nano(last_span_time) AS last_ns,
    ended
FROM runs FINAL
WHERE project = {project:String} AND run_id IN {run_ids:Array(String)}
SETTINGS do_not_merge_across_partitions_select_final = 1
