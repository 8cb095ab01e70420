-- title: Cost of carried tool schemas
-- description: Input spent on the schemas of tools, and on those of tools the run never called, by agent. A token is taken as four bytes of schema; tools of one run share its schema bytes evenly. Runs whose sender does not record schemas are counted as not recorded.
-- column: agent text | The agent
-- column: recorded_runs runs | Runs that record the size of the schemas
-- column: not_recorded_runs runs | Runs with model calls that do not
-- column: calls calls | Model calls that carried schemas
-- column: schema_tokens tokens | Input spent on schemas
-- column: unused_schema_tokens tokens | Of these, on tools the run never called
-- column: unused_share ratio | unused_schema_tokens / all input tokens of these calls
-- with: selected_runs, selected_spans, counted_calls
-- threads: 2
WITH
    called AS (
        -- numbers are found among numbers sooner than texts among texts
        SELECT run_id, groupUniqArray(sipHash64(tool)) AS tools FROM selected_spans WHERE kind = 'tool_call' GROUP BY run_id
    ),
    carried AS (
        SELECT
            counted_calls.run_id AS run_id,
            agent,
            input_tokens,
            isNotNull(tools_schema_bytes) AS recorded,
            ifNull(tools_schema_bytes, 0) / 4 AS schema,
            schema * arrayCount(offer -> NOT has(called.tools, offer), arrayMap(name -> sipHash64(name), tools_offered))
                / greatest(length(tools_offered), 1) AS unused
        FROM counted_calls
        LEFT JOIN called ON called.run_id = counted_calls.run_id
    )
SELECT
    agent,
    uniqExactIf(run_id, recorded) AS recorded_runs,
    uniqExact(run_id) - recorded_runs AS not_recorded_runs,
    countIf(recorded) AS calls,
    toUInt64(round(sum(schema))) AS schema_tokens,
    toUInt64(round(sum(unused))) AS unused_schema_tokens,
    sum(unused) / nullIf(sumIf(input_tokens, recorded), 0) AS unused_share
FROM carried
GROUP BY agent
ORDER BY unused_schema_tokens DESC, agent
