ALTER TABLE run_extents DELETE WHERE project = {project:String} AND run_id IN {run_ids:Array(String)}
