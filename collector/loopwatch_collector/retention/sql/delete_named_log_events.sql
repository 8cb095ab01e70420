ALTER TABLE log_events DELETE
WHERE project = {project:String} AND hex(trace_id) IN {traces:Array(String)} AND (
        multiIf({field:String} = 'conversation', conversation_id, {field:String} = 'customer', customer_id,
            {field:String} = 'user', user_id, '') = {value:String}
        OR arrayExists(name -> attributes[name] = {value:String}, {attributes:Array(String)})
    )
