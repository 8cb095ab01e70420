-- title: What long runs did differently
-- description: Runs over a number of iterations beside the others: failing tools, repeated calls, retries, cost.
-- param: over_iterations UInt32 = 10 | Runs with more iterations than this are long
-- column: long count | 1: the long runs, 0: the others
-- column: runs runs | Runs of the group
-- column: mean_iterations count | Iterations of a run, on average
-- column: mean_tool_calls calls | Tool calls of a run, on average
-- column: tool_error_rate ratio | Tool calls that failed
-- column: repeated_call_share ratio | Tool calls that repeat an earlier one of the run: same tool, same arguments
-- column: retry_share ratio | Tool calls that follow a failed call of the same tool
-- column: mean_cost_usd usd | Cost of a run, on average
-- column: escalation_rate ratio | Runs handed to a human
-- with: selected_runs, selected_spans
WITH
    ordered AS (
        -- runs know how many of their calls repeat one, unless they were derived before that was: only then are
        -- arguments read and told apart
        WITH ifNull((SELECT min(repeated_arguments) < 0 FROM selected_runs), 0) != 0 AS is_any_unknown
        SELECT
            run_id,
            -- arrays of numbers are gathered faster than one of tuples
            arraySort(arrayZip(
                groupArray(sipHash64(tool)),
                groupArray(toUnixTimestamp64Nano(start_time)),
                groupArray(reinterpretAsUInt64(reverse(span_id))),
                groupArray(toUInt8(tool_outcome = 'error'))
            )) AS calls,
            countIf(is_any_unknown AND arguments_hash != '') AS hashed,
            uniqExactIf(
                if(is_any_unknown, sipHash64(tool, arguments_hash), 0), is_any_unknown AND arguments_hash != ''
            ) AS different
        FROM selected_spans
        WHERE kind = 'tool_call'
        GROUP BY run_id
    ),
    calls AS (
        SELECT
            run_id,
            length(ordered.calls) AS calls,
            hashed - different AS repeated,
            arrayCount(
                (call, before) -> call.1 = before.1 AND before.4,
                arrayPopFront(ordered.calls), arrayPopBack(ordered.calls)
            ) AS retried
        FROM ordered
    )
SELECT
    selected_runs.iterations > {over_iterations:UInt32} AS long,
    count() AS runs,
    avg(selected_runs.iterations) AS mean_iterations,
    avg(selected_runs.tool_calls) AS mean_tool_calls,
    sum(selected_runs.tool_errors) / nullIf(sum(selected_runs.tool_calls), 0) AS tool_error_rate,
    sum(if(selected_runs.repeated_arguments < 0, calls.repeated, selected_runs.repeated_arguments))
        / nullIf(sum(calls.calls), 0) AS repeated_call_share,
    sum(calls.retried) / nullIf(sum(calls.calls), 0) AS retry_share,
    avg(toFloat64(selected_runs.cost_usd)) AS mean_cost_usd,
    countIf(outcome = 'escalated') / count() AS escalation_rate
FROM selected_runs
LEFT JOIN calls ON calls.run_id = selected_runs.run_id
GROUP BY long
ORDER BY long DESC
