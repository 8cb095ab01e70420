-- What any span of the runs that may have made the calls in the range, or their resource, says of the attribute; no run
-- is believed to last a week.
{{any_range}} WITH
    callers AS (
        SELECT run_id, first_span_time, last_span_time
        FROM runs FINAL
        WHERE project = {project:String}
            AND start_time >= fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC') - INTERVAL 7 DAY
            AND start_time < fromUnixTimestamp64Nano({to_ns:Int64}, 'UTC')
            AND last_span_time >= fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC')
    ),
    (SELECT (min(first_span_time), max(last_span_time)) FROM callers) AS extent
SELECT run_id, groupUniqArray(label_of(attributes)) AS labels
FROM spans
WHERE project = {project:String}
    AND start_time >= extent.1
    AND start_time <= extent.2
    AND run_id IN (SELECT run_id FROM callers)
    AND label_of(attributes) != ''
GROUP BY run_id
