-- The runs that these runs started.
SELECT DISTINCT run_id
FROM spans
WHERE project = {project:String} AND parent_run_id IN {run_ids:Array(String)}
