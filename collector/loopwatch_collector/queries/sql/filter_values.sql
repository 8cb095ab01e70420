-- title: Values to filter by
-- description: What occurs in the range, by dimension, the most frequent first.
-- column: dimension text | environment, agent, version, model, customer or outcome
-- column: value text | A value of it
-- column: runs runs | Runs that have it
-- with: selected_runs
SELECT dimension, value, count() AS runs
FROM (
    SELECT arrayJoin(arrayConcat(
        [('environment', toString(environment)), ('agent', toString(agent)), ('version', toString(agent_version)),
         ('customer', customer_id), ('outcome', outcome)],
        arrayMap(name -> ('model', toString(name)), arrayDistinct(model_names))
    )) AS pair, pair.1 AS dimension, pair.2 AS value
    FROM selected_runs
)
WHERE value != ''
GROUP BY dimension, value
ORDER BY dimension, runs DESC, value
