-- title: Errors by category
-- description: Runs with at least one error of a category: model calls that failed, tools that failed, validation steps that failed, limits that were hit, and runs that failed by an exception of their own.
-- column: category text | model, tool, validation, limit or run
-- column: runs runs | Runs with one
-- column: errors count | Errors in all
-- column: run_rate ratio | Share of the runs that started in the range
-- column: example_run_id text | The latest of these runs
-- with: selected_runs, selected_spans
WITH (SELECT count() FROM selected_runs) AS all_runs
SELECT
    category,
    uniqExact(run_id) AS runs,
    count() AS errors,
    runs / all_runs AS run_rate,
    argMax(run_id, (start_time, span_id)) AS example_run_id
FROM (
    SELECT
        run_id,
        start_time,
        span_id,
        multiIf(
            kind = 'model_call' AND status = 'error', 'model',
            kind = 'tool_call' AND tool_outcome = 'error', 'tool',
            (step = 'validate' OR name = 'step validate') AND kind = 'step' AND status = 'error', 'validation',
            kind = 'run' AND limit_name != '', 'limit',
            kind = 'run' AND status = 'error', 'run',
            ''
        ) AS category
    FROM selected_spans
)
WHERE category != ''
GROUP BY category
ORDER BY runs DESC, category
