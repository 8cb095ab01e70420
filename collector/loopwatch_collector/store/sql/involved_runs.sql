-- Which of some runs need all of derive_runs: those in which one call may be told by several spans that do not say the
-- same response, or an agent's span tells what was used in all. Replaced versions of rows count too: a run too many
-- costs some planning, a run too few its numbers.
-- The signs of a run: 1 and 2 reports with and without a response id, 8 an aggregate. A report without an id may be of a
-- call that has one; one without tokens either, of another like it (is_failing).
SELECT
    run_id,
    uniqExactIf(span_id, kind = 'model_call' AND response_id = '' AND input_tokens + output_tokens = 0) > 1 AS is_failing
FROM spans
WHERE project = {project:String}
    AND start_time >= fromUnixTimestamp64Nano({first_ns:Int64}, 'UTC')
    AND start_time <= fromUnixTimestamp64Nano({last_ns:Int64}, 'UTC')
    AND run_id IN {run_ids:Array(String)}
    AND (kind IN ('model_call', 'run') OR parent_span_id = unhex('0000000000000000'))
GROUP BY run_id
HAVING groupBitOr(multiIf(
        kind = 'model_call', multiIf(response_id != '', 1, input_tokens + output_tokens > 0, 2, 0),
        kind != 'event' AND (input_tokens + output_tokens > 0 OR isNotNull(reported_cost_usd)), 8,
        0
    )) > 2
    OR is_failing
SETTINGS max_threads = 1
