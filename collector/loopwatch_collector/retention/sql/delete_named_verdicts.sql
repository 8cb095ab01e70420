ALTER TABLE verdicts DELETE
WHERE project = {project:String} AND {field:String} = 'user' AND author = {value:String}
