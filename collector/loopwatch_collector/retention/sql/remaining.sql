-- What is left of a deleted conversation, customer or user, in every table that names one.
SELECT
    (SELECT count() FROM spans WHERE project = {project:String} AND multiIf(
        {field:String} = 'conversation', conversation_id, {field:String} = 'customer', customer_id,
        {field:String} = 'user', user_id, '') = {value:String}) AS spans,
    (SELECT count() FROM runs WHERE project = {project:String} AND is_deleted = 0 AND multiIf(
        {field:String} = 'conversation', conversation_id, {field:String} = 'customer', customer_id,
        {field:String} = 'user', user_id, '') = {value:String}) AS runs
