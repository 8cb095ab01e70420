SELECT *
FROM {table:Identifier} FINAL
WHERE project = {project:String} AND toDate({time:Identifier}) = {day:Date}
