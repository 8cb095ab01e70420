SELECT max(row_version) FROM runs
