-- As for contents (0090), by less: FINAL compares what lies in several parts.
ALTER TABLE spans MODIFY SETTING merge_selector_base = 10
