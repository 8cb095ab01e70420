-- The runs of one conversation, customer or user. Asked of spans, not of the run rows: a row may be late.
SELECT DISTINCT run_id
FROM spans
WHERE project = {project:String}
    AND multiIf(
        {field:String} = 'conversation', conversation_id,
        {field:String} = 'customer', customer_id,
        {field:String} = 'user', user_id,
        ''
    ) = {value:String}
