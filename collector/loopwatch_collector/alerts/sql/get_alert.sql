SELECT body
FROM alerts FINAL
WHERE project = {project:String} AND alert_id = {alert_id:String}
