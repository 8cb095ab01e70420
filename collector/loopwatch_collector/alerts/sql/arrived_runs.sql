-- Whose runs were derived anew; see arrived_spans.
SELECT DISTINCT project, environment, agent, agent_version, model_names AS models, customer_id, emptyArrayUInt32() AS steps
FROM runs
WHERE _part IN {parts:Array(String)} AND (_part IN {inserted:Array(String)} OR row_version >= {since_ns:UInt64})
LIMIT {most:UInt32}
