-- The runs of one conversation, customer or user: their spans name them, or an event in the logs of such a span does.
-- Asked of spans, not of the run rows: a row may be late.
WITH named AS (
    SELECT trace_id, span_id
    FROM log_events
    WHERE project = {project:String} AND (
        multiIf({field:String} = 'conversation', conversation_id, {field:String} = 'customer', customer_id,
            {field:String} = 'user', user_id, '') = {value:String}
        OR arrayExists(name -> attributes[name] = {value:String}, {attributes:Array(String)})
    )
)
SELECT DISTINCT run_id
FROM spans
WHERE project = {project:String} AND ((
        multiIf({field:String} = 'conversation', conversation_id, {field:String} = 'customer', customer_id,
            {field:String} = 'user', user_id, '') = {value:String}
        OR arrayExists(name -> attributes[name] = {value:String}, {attributes:Array(String)})
    ) OR (trace_id, span_id) IN named)
