SELECT *
FROM {table:Identifier} FINAL
WHERE project = {project:String} AND toDate({time:Identifier}) = {day:Date}
SETTINGS do_not_merge_across_partitions_select_final = 1
