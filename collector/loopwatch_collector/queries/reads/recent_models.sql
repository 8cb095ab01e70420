-- The models that were called in the range, by provider.
SELECT DISTINCT pair.1 AS provider, pair.2 AS model
FROM runs
ARRAY JOIN arrayZip(model_providers, model_names) AS pair
WHERE project = {project:String} AND start_time >= fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC') AND is_deleted = 0
ORDER BY provider, model
LIMIT 1000
