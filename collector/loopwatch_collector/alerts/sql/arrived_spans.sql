-- What is in new parts: whose spans, and of which stretches of time. Of merged parts only what was received lately.
SELECT
    project,
    environment,
    agent,
    agent_version,
    [model] AS models,
    customer_id,
    groupUniqArray(intDiv(toUnixTimestamp(start_time), {step_s:UInt32})) AS steps
FROM spans
WHERE _part IN {parts:Array(String)} AND (_part IN {inserted:Array(String)} OR row_version >= {since_ns:UInt64})
GROUP BY ALL
LIMIT {most:UInt32}
