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
    -- Of each run its calls of those tools and arguments that failed once, the equal ones beside each other. Arrays of
    -- numbers are gathered in a fraction of the time that an array of tuples, or of texts, takes.
    ordered AS (
        WITH sipHash64(tool, arguments_hash) AS key
        SELECT
            groupUniqArrayIf((key, toString(tool)), tool_outcome = 'error') AS failing,
            arraySort(arrayFilter(
                call -> has(failing.1, call.1),
                arrayZip(
                    groupArray(key),
                    groupArray(toUnixTimestamp64Nano(start_time)),
                    groupArray(reinterpretAsUInt64(reverse(span_id))),
                    groupArray(toUInt8(tool_outcome = 'error')),
                    groupArray(duration_ns)
                )
            )) AS calls,
            arrayResize(arrayPopFront(calls), length(calls)) AS nexts
        FROM selected_spans
        WHERE kind = 'tool_call'
        GROUP BY run_id
        HAVING notEmpty(failing)
    ),
    failures AS (
        SELECT failing, arrayJoin(arrayFilter(pair -> pair.1.4 = 1, arrayZip(calls, nexts))) AS pair
        FROM ordered
    )
SELECT
    failing.2[indexOf(failing.1, pair.1.1)] AS tool,
    count() AS failed,
    countIf(pair.1.1 = pair.2.1) AS retried,
    countIf(pair.1.1 = pair.2.1 AND pair.2.4 = 0) AS recovered,
    recovered / nullIf(retried, 0) AS recovery_rate,
    sumIf(pair.2.5, pair.1.1 = pair.2.1) AS retry_duration_ns
FROM failures
GROUP BY tool
ORDER BY failed DESC, tool
