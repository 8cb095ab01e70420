-- The spans whose duration belongs to the asked dimension, with its value as key.
WITH (SELECT (min(first_span_time), max(last_span_time), max(notEmpty(duplicate_span_ids))) FROM selected_runs) AS extent
SELECT
    run_id,
    span_id,
    start_time,
    duration_ns,
    multiIf(
        {dimension:String} = 'tool', tool,
        {dimension:String} = 'model', model,
        {dimension:String} = 'provider', provider,
        agent
    ) AS key
FROM selected_spans
WHERE kind = multiIf(
        {dimension:String} = 'tool', 'tool_call',
        {dimension:String} = 'agent', 'run',
        'model_call'
    )
    AND (extent.3 = 0 OR (run_id, span_id) NOT IN (SELECT run_id, arrayJoin(duplicate_span_ids) FROM selected_runs))
