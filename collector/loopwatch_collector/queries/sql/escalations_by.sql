-- title: Escalations by dimension
-- description: How often runs are handed to a human and how far they got, told apart by one dimension. Open runs count as runs, not as ended.
-- param: dimension Enum(agent, version, prompt_version, service, customer, environment, user) = agent | What to tell apart
-- column: key text | Value of the dimension
-- column: runs runs | Runs that started in the range
-- column: ended runs | Of these, ended
-- column: escalated runs | Handed to a human
-- column: mean_iterations count | Iterations of an escalated run, on average
-- column: mean_cost_usd usd | Cost of an escalated run, on average
-- with: selected_runs
SELECT
    multiIf(
        {dimension:String} = 'agent', toString(agent),
        {dimension:String} = 'version', toString(agent_version),
        {dimension:String} = 'prompt_version', toString(prompt_version),
        {dimension:String} = 'service', toString(service),
        {dimension:String} = 'customer', customer_id,
        {dimension:String} = 'environment', toString(environment),
        {dimension:String} = 'user', user_id,
        ''
    ) AS key,
    count() AS runs,
    countIf(selected_runs.ended) AS ended,
    countIf(outcome = 'escalated') AS escalated,
    avgOrNullIf(iterations, outcome = 'escalated') AS mean_iterations,
    avgOrNullIf(toFloat64(cost_usd), outcome = 'escalated') AS mean_cost_usd
FROM selected_runs
GROUP BY key
ORDER BY escalated DESC, key
