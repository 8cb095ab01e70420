SELECT project, deletion_id, field, value, requested_at, finished_at, verified_at, runs, spans, contents,
    log_events, metric_points, verdicts
FROM deletions FINAL
WHERE (project = {project:String} OR {project:String} = '')
ORDER BY requested_at DESC, deletion_id
LIMIT 1000
