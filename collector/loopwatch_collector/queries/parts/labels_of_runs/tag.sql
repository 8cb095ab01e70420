-- The tags of the selected runs.
SELECT run_id, tags::Array(String) AS labels
FROM selected_runs
