-- The model calls of the selected runs, each once: what other spans say of the same call is left out. Where none does,
-- which is what most fleets send, the engine need not plan to look.
WITH (SELECT (min(first_span_time), max(last_span_time), max(notEmpty(duplicate_span_ids))) FROM selected_runs) AS extent
SELECT *
FROM selected_spans
WHERE kind = 'model_call'
    AND (extent.3 = 0 OR (run_id, span_id) NOT IN (SELECT run_id, arrayJoin(duplicate_span_ids) FROM selected_runs))
