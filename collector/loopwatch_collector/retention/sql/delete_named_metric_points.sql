ALTER TABLE metric_points DELETE
WHERE project = {project:String} AND arrayExists(name -> attributes[name] = {value:String}, {attributes:Array(String)})
