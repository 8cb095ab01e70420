-- Runs that repeat enough to have a loop at all; only these are looked at further.
SELECT run_id, first_span_time, last_span_time, duplicate_span_ids
FROM selected_runs
-- below 0: derived before repeats were
WHERE repeated_calls < 0
    OR repeated_calls >= least(2, {identical_calls:UInt32} - 1)
    OR repeated_arguments > 2 * {identical_calls:UInt32}
    OR repeated_results >= {identical_calls:UInt32} - 1
