ALTER TABLE verdicts DELETE WHERE project = {project:String} AND toDate(time) < {first_day:Date}
