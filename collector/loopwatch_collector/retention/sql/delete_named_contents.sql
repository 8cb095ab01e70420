ALTER TABLE contents DELETE
WHERE project = {project:String}
    AND hex(trace_id) IN {traces:Array(String)}
    AND concat(hex(trace_id), toString(hash)) IN {contents:Array(String)}
