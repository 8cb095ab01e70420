-- The days a table has rows on, by project, as far as whole rows go: versions that were replaced are left behind.
SELECT project, toDate({time:Identifier}) AS day, count() AS rows
FROM {table:Identifier} FINAL
GROUP BY project, day
ORDER BY day, project
SETTINGS do_not_merge_across_partitions_select_final = 1
