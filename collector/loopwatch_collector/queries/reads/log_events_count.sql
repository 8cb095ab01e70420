-- How many events out of logs a project has, sent twice or not: the engine knows without reading them.
SELECT count() FROM log_events WHERE project = {project:String}
