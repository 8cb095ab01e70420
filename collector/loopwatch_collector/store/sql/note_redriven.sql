-- The same letter again replaces itself.
INSERT INTO dead_letters (project, kind, id, received_at, reason, body, redriven_at)
SELECT project, kind, id, received_at, reason, body, now64(3)
FROM dead_letters FINAL
WHERE project = {project:String} AND id = {id:String} AND redriven_at IS NULL
