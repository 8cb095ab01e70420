-- The model calls of the selected runs, each once: what other spans say of the same call is left out.
SELECT *
FROM selected_spans
WHERE kind = 'model_call'
    AND (run_id, span_id) NOT IN (SELECT run_id, arrayJoin(duplicate_span_ids) FROM selected_runs)
