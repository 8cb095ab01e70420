ALTER TABLE alert_remarks DELETE
WHERE project = {project:String} AND JSONExtractString(body, 'group', {field:String}) = {value:String}
