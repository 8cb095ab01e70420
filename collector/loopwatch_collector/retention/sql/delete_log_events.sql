ALTER TABLE log_events DELETE
WHERE project = {project:String}
    AND hex(trace_id) IN {traces:Array(String)}
    AND concat(hex(trace_id), hex(span_id)) NOT IN {kept_spans:Array(String)}
