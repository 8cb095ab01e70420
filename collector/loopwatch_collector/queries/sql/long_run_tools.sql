-- title: Tools of long runs
-- description: How often runs over a number of iterations call each tool, and how often it fails them, beside the other runs. The greatest difference comes first.
-- param: over_iterations UInt32 = 10 | Runs with more iterations than this are long
-- column: tool text | The tool
-- column: long_calls_per_run calls | Calls in a long run, on average
-- column: other_calls_per_run calls | Calls in another run, on average
-- column: long_error_rate ratio | Calls that failed, in long runs
-- column: other_error_rate ratio | Calls that failed, in the others
-- with: selected_runs, selected_spans
WITH
    (SELECT countIf(iterations > {over_iterations:UInt32}) FROM selected_runs) AS long_runs,
    (SELECT countIf(iterations <= {over_iterations:UInt32}) FROM selected_runs) AS other_runs
SELECT
    tool,
    countIf(is_long) / nullIf(long_runs, 0) AS long_calls_per_run,
    countIf(NOT is_long) / nullIf(other_runs, 0) AS other_calls_per_run,
    countIf(is_long AND tool_outcome = 'error') / nullIf(countIf(is_long), 0) AS long_error_rate,
    countIf(NOT is_long AND tool_outcome = 'error') / nullIf(countIf(NOT is_long), 0) AS other_error_rate
FROM (
    SELECT tool, tool_outcome, run_id IN (SELECT run_id FROM selected_runs WHERE iterations > {over_iterations:UInt32}) AS is_long
    FROM selected_spans
    WHERE kind = 'tool_call'
)
GROUP BY tool
ORDER BY ifNull(long_calls_per_run, 0) - ifNull(other_calls_per_run, 0) DESC, tool
