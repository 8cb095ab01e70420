-- How many rows a project's day has, and a sum over the hashes of all their columns: equal only for equal rows.
SELECT count() AS rows, sum(cityHash64(tuple(*))) AS digest
FROM {table:Identifier} FINAL
WHERE project = {project:String} AND toDate({time:Identifier}) = {day:Date}
SETTINGS do_not_merge_across_partitions_select_final = 1
