-- title: Reliability of tools, each run counted once
-- description: How often tools fail and how long they take, where a run that tries the same again and again counts no more than any other: each run brings the share of its calls of the tool that failed, and the median duration of its calls.
-- column: tool text | The tool
-- column: runs runs | Runs that called it
-- column: failing_runs runs | Sum over these runs of the share of their calls that failed
-- column: calls calls | Calls of it
-- column: errors calls | Calls with the outcome error
-- column: p50_duration_ns ns | Median over the runs of the median duration of their calls
-- column: p50_noise_ns ns | How far chance alone moves it: half the distance between the quantiles one standard error below and above it
-- column: example_run_id text | The run with the longest calls
-- with: selected_runs, selected_spans
WITH arraySort(groupArray(by_run.duration_ns)) AS sorted_ns
SELECT
    {{filter_set}} tool,
    count() AS runs,
    sum(by_run.errors / by_run.calls) AS failing_runs,
    sum(by_run.calls) AS calls,
    sum(by_run.errors) AS errors,
    (sorted_ns[intDiv(runs + 1, 2)] + sorted_ns[intDiv(runs, 2) + 1]) / 2 AS p50_duration_ns,
    -- of n values the share below the median has a standard error of 1 / (2 root n)
    (sorted_ns[least(runs, toUInt64(ceil((runs + sqrt(runs)) / 2)))]
        - sorted_ns[greatest(1, toUInt64(ceil((runs - sqrt(runs)) / 2)))]) / 2 AS p50_noise_ns,
    argMax(run_id, by_run.duration_ns) AS example_run_id
FROM (
    SELECT
        tool,
        run_id,
        count() AS calls,
        countIf(tool_outcome = 'error') AS errors,
        quantileExactInclusive(0.5)(selected_spans.duration_ns) AS duration_ns
    FROM selected_spans
    WHERE kind = 'tool_call'
    GROUP BY tool, run_id
) AS by_run {{filter_sets_of_runs}}
GROUP BY {{filter_set}} tool
ORDER BY failing_runs DESC, tool
