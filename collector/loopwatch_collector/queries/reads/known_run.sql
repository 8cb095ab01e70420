-- Which of these ids are runs of the project: as they were given, or in lower case.
SELECT DISTINCT run_id
FROM runs
WHERE project = {project:String} AND run_id IN {run_ids:Array(String)} AND is_deleted = 0
