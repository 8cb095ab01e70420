ALTER TABLE alerts DELETE
WHERE project = {project:String}
    AND JSONExtractString(body, 'group') = {value:String}
    AND JSONExtractString(body, 'snapshot', 'group_by') IN ({field:String}, concat({field:String}, '_id'))
