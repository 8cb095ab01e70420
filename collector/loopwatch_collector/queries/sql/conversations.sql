-- title: Conversations
-- description: Runs by the conversation they belong to, the latest first.
-- column: conversation_id text | The conversation
-- column: customer_id text | The customer of its latest run
-- column: user_id text | The user of its latest run
-- column: runs runs | Its runs that started in the range
-- column: completed runs | Of these, completed
-- column: escalated runs | Of these, handed to a human
-- column: first_time time | Start of the first run
-- column: last_time time | Start of the latest run
-- column: agents text | The agents of its runs
-- column: cost_usd usd | Sum over the calls that have a price
-- column: total_tokens tokens | Input and output
-- column: last_run_id text | The latest run
-- with: selected_runs
SELECT
    conversation_id,
    argMax(selected_runs.customer_id, start_time) AS customer_id,
    argMax(selected_runs.user_id, start_time) AS user_id,
    count() AS runs,
    countIf(outcome = 'completed') AS completed,
    countIf(outcome = 'escalated') AS escalated,
    min(start_time) AS first_time,
    max(start_time) AS last_time,
    arrayStringConcat(arraySort(groupUniqArray(toString(agent))), ', ') AS agents,
    sum(selected_runs.cost_usd) AS cost_usd,
    sum(input_tokens + output_tokens) AS total_tokens,
    argMax(run_id, start_time) AS last_run_id
FROM selected_runs
WHERE conversation_id != ''
GROUP BY conversation_id
ORDER BY last_time DESC, conversation_id
