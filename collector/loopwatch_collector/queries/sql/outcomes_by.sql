-- title: Outcomes by dimension
-- description: How the runs that started in the range ended, told apart by one dimension. A run is looping when a loop was reported in it or a limit on identical calls stopped it.
-- param: dimension Enum(all, agent, version, prompt_version, service, customer, environment, user, conversation, tag, attribute) = all | What to tell apart; with tag and attribute a run counts for each value it has
-- param: attribute String =  | Which attribute of the sender's own (of any span of the run, or of its resource), with the dimension attribute
-- column: key text | Value of the dimension
-- column: runs runs | Runs that started in the range
-- column: ended runs | Of these, ended
-- column: completed runs | Ended as completed
-- column: escalated runs | Handed to a human
-- column: failed runs | Ended by an exception
-- column: stopped runs | Stopped by a limit or a breaker
-- column: capped runs | Ended runs with a cap on iterations
-- column: at_cap runs | Of these, runs that reached it
-- column: looping runs | Runs with a loop
-- column: p95_duration_ns ns | 95th percentile of the duration of ended runs
-- with: label_of, labels_told, selected_runs, labels_of_runs by dimension
SELECT
    {{filter_set}} multiIf(
        {dimension:String} = 'agent', toString(agent),
        {dimension:String} = 'version', toString(agent_version),
        {dimension:String} = 'prompt_version', toString(prompt_version),
        {dimension:String} = 'service', toString(service),
        {dimension:String} = 'customer', customer_id,
        {dimension:String} = 'environment', toString(environment),
        {dimension:String} = 'user', user_id,
        {dimension:String} = 'conversation', conversation_id,
        {dimension:String} = 'tag', arrayJoin(labels_told(tags::Array(String), [])),
        {dimension:String} = 'attribute', arrayJoin(labels_told([], labels)),
        ''
    ) AS key,
    count() AS runs,
    countIf(selected_runs.ended) AS ended,
    countIf(outcome = 'completed') AS completed,
    countIf(outcome = 'escalated') AS escalated,
    countIf(outcome = 'failed') AS failed,
    countIf(outcome = 'stopped') AS stopped,
    countIf(selected_runs.ended AND iteration_cap > 0) AS capped,
    countIf(selected_runs.ended AND iteration_cap > 0 AND iterations >= iteration_cap) AS at_cap,
    countIf(limit_name = 'identical_calls' OR run_id IN (
        WITH (SELECT (min(first_span_time), max(last_span_time)) FROM selected_runs) AS extent
        SELECT run_id
        FROM spans
        WHERE project = {project:String}
            AND start_time >= extent.1
            AND start_time <= extent.2
            AND has(event_names, 'loopwatch.loop')
    )) AS looping,
    quantileExactInclusiveOrNullIf(0.95)(duration_ns, selected_runs.ended) AS p95_duration_ns
FROM selected_runs
{{when dimension = attribute}} LEFT ANY JOIN labels_of_runs USING (run_id)
GROUP BY {{filter_set}} key
ORDER BY runs DESC, key
