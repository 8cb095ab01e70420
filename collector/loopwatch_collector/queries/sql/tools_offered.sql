-- title: Tools offered and called
-- description: Tools the models were offered and those they called. Never called: offered in vain. Invented: called without being offered, in runs whose sender records what was offered.
-- column: tool text | The tool
-- column: offered_runs runs | Runs in which it was offered
-- column: called_runs runs | Runs in which it was called
-- column: calls calls | Calls of it in runs that record what was offered
-- column: never_called count | 1: offered and never called
-- column: invented_calls calls | Calls in runs that record what was offered, and it was not
-- column: example_run_id text | A run in which it was called without being offered; where it was never called, one in which it was offered
-- with: selected_runs, selected_spans
SELECT
    entry.1 AS tool,
    sum(entry.2) AS offered_runs,
    countIf(entry.3 > 0) AS called_runs,
    sum(entry.3) AS calls,
    toUInt8(offered_runs > 0 AND calls = 0) AS never_called,
    sumIf(entry.3, NOT entry.2) AS invented_calls,
    if(never_called, minIf(run_id, entry.2), minIf(run_id, entry.3 > 0 AND NOT entry.2)) AS example_run_id
FROM (
    -- each tool of a run: whether it was offered, and how often it was called
    SELECT run_id, arrayJoin(arrayMap(
        tool -> (tool, has(known, sipHash64(tool)), countEqual(called, sipHash64(tool))),
        arrayDistinct(arrayConcat(offered, called_tools))
    )) AS entry
    FROM (
        -- numbers are gathered, and found among numbers, sooner than texts
        SELECT
            run_id,
            groupUniqArrayArray(tools_offered) AS offered,
            arrayMap(name -> sipHash64(name), offered) AS known,
            groupUniqArrayIf(tool, kind = 'tool_call') AS called_tools,
            groupArrayIf(sipHash64(tool), kind = 'tool_call') AS called
        FROM selected_spans
        WHERE kind IN ('model_call', 'tool_call')
        GROUP BY run_id
        HAVING notEmpty(offered)
    )
)
GROUP BY tool
ORDER BY never_called DESC, offered_runs DESC, tool
