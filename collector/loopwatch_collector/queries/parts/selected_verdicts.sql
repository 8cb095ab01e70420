-- The verdicts that count on the selected runs and their spans, whenever they were given.
SELECT * FROM verdicts FINAL
WHERE project = {project:String} AND run_id IN (SELECT run_id FROM selected_runs)
