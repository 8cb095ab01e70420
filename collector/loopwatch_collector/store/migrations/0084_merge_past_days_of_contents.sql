-- As for spans (0082).
ALTER TABLE contents MODIFY SETTING min_age_to_force_merge_seconds = 3600, min_age_to_force_merge_on_partition_only = 1
