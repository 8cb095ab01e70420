-- The log events of some traces that name a conversation, customer or user, and the contents only they refer to.
WITH
    named AS (
        SELECT trace_id, time, hash, content_hashes
        FROM log_events FINAL
        WHERE project = {project:String} AND (
        multiIf({field:String} = 'conversation', conversation_id, {field:String} = 'customer', customer_id,
            {field:String} = 'user', user_id, '') = {value:String}
        OR arrayExists(name -> attributes[name] = {value:String}, {attributes:Array(String)})
    )
    ),
    some AS (SELECT DISTINCT trace_id FROM named ORDER BY trace_id LIMIT {most:UInt32}),
    others AS (
        SELECT trace_id, arrayJoin(content_hashes) AS content
        FROM spans
        WHERE project = {project:String} AND trace_id IN some
        UNION DISTINCT
        SELECT trace_id, arrayJoin(content_hashes) AS content
        FROM log_events
        WHERE project = {project:String} AND trace_id IN some AND NOT (
        multiIf({field:String} = 'conversation', conversation_id, {field:String} = 'customer', customer_id,
            {field:String} = 'user', user_id, '') = {value:String}
        OR arrayExists(name -> attributes[name] = {value:String}, {attributes:Array(String)})
    )
    )
SELECT
    (SELECT groupArray(hex(trace_id)) FROM some) AS traces,
    (SELECT count() FROM named WHERE trace_id IN some) AS log_events,
    (
        SELECT groupUniqArray(concat(hex(trace_id), toString(content)))
        FROM (SELECT trace_id, arrayJoin(content_hashes) AS content FROM named WHERE trace_id IN some)
        WHERE (trace_id, content) NOT IN others
    ) AS contents
