-- title: Retries of tools
-- description: Calls that repeat a failed call of the same run: same tool, same arguments. Where a sender records no arguments, the next call of the tool counts.
-- column: tool text | The tool
-- column: failed calls | Calls with the outcome error
-- column: retried calls | Of these, tried again by a later call of the run
-- column: recovered calls | Of these, where the next try succeeded
-- column: recovery_rate ratio | recovered / retried
-- column: retry_duration_ns ns | Time spent in these further tries
-- with: selected_runs, selected_spans
WITH
    ordered AS (
        -- one array a run, calls of equal tool and arguments beside each other: far fewer groups than one a call
        SELECT
            arraySort(groupArray((
                sipHash64(tool, arguments_hash), start_time, span_id, toUInt8(tool_outcome = 'error'), duration_ns, tool
            ))) AS calls,
            arrayResize(arrayPopFront(calls), length(calls)) AS nexts
        FROM selected_spans
        WHERE kind = 'tool_call' AND run_id IN (SELECT run_id FROM selected_runs WHERE tool_errors > 0)
        GROUP BY run_id
    ),
    failures AS (
        SELECT arrayJoin(arrayFilter(pair -> pair.1.4 = 1, arrayZip(calls, nexts))) AS pair
        FROM ordered
    )
SELECT
    pair.1.6 AS tool,
    count() AS failed,
    countIf(pair.1.1 = pair.2.1) AS retried,
    countIf(pair.1.1 = pair.2.1 AND pair.2.4 = 0) AS recovered,
    recovered / nullIf(retried, 0) AS recovery_rate,
    sumIf(pair.2.5, pair.1.1 = pair.2.1) AS retry_duration_ns
FROM failures
GROUP BY tool
ORDER BY failed DESC, tool
