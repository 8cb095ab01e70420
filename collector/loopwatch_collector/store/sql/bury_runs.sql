-- Takes the runs away that a rebuild did not derive again: no span of theirs is left.
INSERT INTO runs
SELECT * REPLACE ({row_version:UInt64} AS row_version, 1 AS is_deleted)
FROM runs FINAL
WHERE runs.row_version < {row_version:UInt64}
SETTINGS do_not_merge_across_partitions_select_final = 1
