-- title: Tools offered and called
-- description: Tools the models were offered and those they called. Never called: offered in vain. Invented: called without being offered, in runs whose sender records what was offered.
-- column: tool text | The tool
-- column: offered_runs runs | Runs in which it was offered
-- column: called_runs runs | Runs in which it was called
-- column: calls calls | Calls of it in runs that record what was offered
-- column: never_called count | 1: offered and never called
-- column: invented_calls calls | Calls in runs that record what was offered, and it was not
-- with: selected_runs, selected_spans
WITH
    offers AS (
        SELECT run_id, groupUniqArrayArray(tools_offered) AS tools
        FROM selected_spans
        WHERE kind = 'model_call' AND notEmpty(tools_offered)
        GROUP BY run_id
    ),
    called AS (
        SELECT run_id, tool, count() AS calls
        FROM selected_spans
        WHERE kind = 'tool_call'
        GROUP BY run_id, tool
    )
SELECT
    tool,
    sum(offered) AS offered_runs,
    countIf(entries.calls > 0) AS called_runs,
    sum(entries.calls) AS calls,
    toUInt8(offered_runs > 0 AND calls = 0) AS never_called,
    sumIf(entries.calls, NOT offered) AS invented_calls
FROM (
    SELECT run_id, tool, max(is_offer) AS offered, sum(call_count) AS calls
    FROM (
        SELECT run_id, arrayJoin(tools) AS tool, 1 AS is_offer, 0 AS call_count FROM offers
        UNION ALL
        SELECT run_id, tool, 0, calls FROM called WHERE run_id IN (SELECT run_id FROM offers)
    )
    GROUP BY run_id, tool
) AS entries
GROUP BY tool
ORDER BY never_called DESC, offered_runs DESC, tool
