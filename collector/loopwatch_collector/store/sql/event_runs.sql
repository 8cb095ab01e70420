-- When runs began that came as records of whole requests.
SELECT run_id, toUnixTimestamp64Nano(start_time) AS start_ns
FROM runs FINAL
WHERE project = {project:String} AND run_id IN {run_ids:Array(String)}
SETTINGS do_not_merge_across_partitions_select_final = 1
