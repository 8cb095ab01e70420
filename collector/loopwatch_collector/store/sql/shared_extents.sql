-- Where the spans of these runs lie in time, as far as any collector has said.
SELECT run_id, min(first_ns) AS first_ns, max(last_ns) AS last_ns
FROM run_extents
WHERE project = {project:String} AND run_id IN {run_ids:Array(String)}
GROUP BY run_id
