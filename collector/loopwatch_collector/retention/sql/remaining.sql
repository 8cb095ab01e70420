-- What is left of a deleted conversation, customer or user, in every table that can name one.
SELECT
    (SELECT count() FROM spans WHERE project = {project:String} AND (
        multiIf({field:String} = 'conversation', conversation_id, {field:String} = 'customer', customer_id,
            {field:String} = 'user', user_id, '') = {value:String}
        OR arrayExists(name -> attributes[name] = {value:String}, {attributes:Array(String)})
    )) AS spans,
    (SELECT count() FROM runs WHERE project = {project:String} AND is_deleted = 0 AND multiIf(
        {field:String} = 'conversation', conversation_id, {field:String} = 'customer', customer_id,
        {field:String} = 'user', user_id, '') = {value:String}) AS runs,
    (SELECT count() FROM log_events WHERE project = {project:String} AND (
        multiIf({field:String} = 'conversation', conversation_id, {field:String} = 'customer', customer_id,
            {field:String} = 'user', user_id, '') = {value:String}
        OR arrayExists(name -> attributes[name] = {value:String}, {attributes:Array(String)})
    )) AS log_events,
    (SELECT count() FROM metric_points WHERE project = {project:String}
        AND arrayExists(name -> attributes[name] = {value:String}, {attributes:Array(String)})) AS metric_points,
    (SELECT count() FROM verdicts WHERE project = {project:String} AND {field:String} = 'user'
        AND author = {value:String}) AS verdicts,
    (SELECT count() FROM alerts WHERE project = {project:String} AND JSONExtractString(body, 'group') = {value:String}
        AND JSONExtractString(body, 'snapshot', 'group_by') IN ({field:String}, concat({field:String}, '_id'))) AS alerts,
    (SELECT count() FROM alert_remarks WHERE project = {project:String}
        AND JSONExtractString(body, 'group', {field:String}) = {value:String}) AS alert_remarks
