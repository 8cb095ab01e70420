-- title: Failures of tools, each run counted once
-- description: How often tools fail, where a run that tries the same again and again counts no more than any other: each run brings the share of its calls of the tool that failed.
-- column: tool text | The tool
-- column: runs runs | Runs that called it
-- column: failing_runs runs | Sum over these runs of the share of their calls that failed
-- column: calls calls | Calls of it
-- column: errors calls | Calls with the outcome error
-- with: selected_runs, selected_spans
SELECT
    tool,
    count() AS runs,
    sum(by_run.errors / by_run.calls) AS failing_runs,
    sum(by_run.calls) AS calls,
    sum(by_run.errors) AS errors
FROM (
    SELECT tool, run_id, count() AS calls, countIf(tool_outcome = 'error') AS errors
    FROM selected_spans
    WHERE kind = 'tool_call'
    GROUP BY tool, run_id
) AS by_run
GROUP BY tool
ORDER BY failing_runs DESC, tool
