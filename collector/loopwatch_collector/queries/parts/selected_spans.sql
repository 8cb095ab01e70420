-- The spans of the selected runs, read from no more than the stretch of time those runs lie in.
SELECT *
FROM spans FINAL
WHERE project = {project:String}
    AND start_time >= (SELECT min(first_span_time) FROM selected_runs)
    AND start_time <= (SELECT max(last_span_time) FROM selected_runs)
    AND run_id IN (SELECT run_id FROM selected_runs)
    -- what another span tells
    AND kind != 'event'
