-- As for spans (0082): run lists and run facts of months take a third.
ALTER TABLE runs MODIFY SETTING min_age_to_force_merge_seconds = 3600, min_age_to_force_merge_on_partition_only = 1
