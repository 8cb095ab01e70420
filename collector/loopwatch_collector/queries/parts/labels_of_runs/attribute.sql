-- What any span of the selected runs, or their resource, says of the attribute.
WITH (SELECT (min(first_span_time), max(last_span_time)) FROM selected_runs) AS extent
SELECT run_id, groupUniqArray(label_of(attributes)) AS labels
FROM spans
WHERE project = {project:String}
    AND start_time >= extent.1
    AND start_time <= extent.2
    AND run_id IN (SELECT run_id FROM selected_runs)
    AND label_of(attributes) != ''
GROUP BY run_id
