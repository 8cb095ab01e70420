-- The spans of the selected runs, read from no more than the stretch of time those runs lie in. Its ends, and whether
-- any call is told twice, are asked for at once: each sub-query that gives a value is planned and run on its own, but the
-- same one only once.
WITH (SELECT (min(first_span_time), max(last_span_time), max(notEmpty(duplicate_span_ids))) FROM selected_runs) AS extent
SELECT *
FROM spans FINAL
WHERE project = {project:String}
    AND start_time >= extent.1
    AND start_time <= extent.2
    AND run_id IN (SELECT run_id FROM selected_runs)
    -- what another span tells
    AND kind != 'event'
