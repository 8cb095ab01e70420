-- title: Reliability of tools, each run counted once
-- description: How often tools fail and how long they take, where a run that tries the same again and again counts no more than any other: each run brings the share of its calls (of the tool) that failed, and the median duration of its calls.
-- param: dimension Enum(tool, all, agent, version, prompt_version, service, customer, environment, user, conversation, tag, attribute) = tool | What to tell apart; with tag and attribute a call counts for each value its own span says, or else its run has
-- param: attribute String =  | Which attribute of the sender's own (of a span, or of its resource), with the dimension attribute
-- column: key text | Value of the dimension: the tool, unless another is asked for
-- column: runs runs | Runs with such calls
-- column: failing_runs runs | Sum over these runs of the share of their calls that failed
-- column: calls calls | Tool calls
-- column: errors calls | Calls with the outcome error
-- column: p50_duration_ns ns | Median over the runs of the median duration of their calls
-- column: p50_noise_ns ns | How far chance alone moves it: half the distance between the quantiles one standard error below and above it
-- column: example_run_id text | The run with the longest calls
-- with: label_of, labels_told, selected_runs, selected_spans, labels_of_runs by dimension
-- threads: 2
WITH arraySort(groupArray(by_run.duration_ns)) AS sorted_ns
SELECT
    {{filter_set}} key,
    count() AS runs,
    sum(by_run.errors / by_run.calls) AS failing_runs,
    sum(by_run.calls) AS calls,
    sum(by_run.errors) AS errors,
    (sorted_ns[intDiv(runs + 1, 2)] + sorted_ns[intDiv(runs, 2) + 1]) / 2 AS p50_duration_ns,
    -- of n values the share below the median has a standard error of 1 / (2 root n)
    (sorted_ns[least(runs, toUInt64(ceil((runs + sqrt(runs)) / 2)))]
        - sorted_ns[greatest(1, toUInt64(ceil((runs - sqrt(runs)) / 2)))]) / 2 AS p50_noise_ns,
    argMax(run_id, by_run.duration_ns) AS example_run_id
FROM (
    SELECT
        multiIf(
            {dimension:String} = 'tool', toString(tool),
            {dimension:String} = 'agent', toString(agent),
            {dimension:String} = 'version', toString(agent_version),
            {dimension:String} = 'prompt_version', toString(prompt_version),
            {dimension:String} = 'service', toString(service),
            {dimension:String} = 'customer', customer_id,
            {dimension:String} = 'environment', toString(environment),
            {dimension:String} = 'user', user_id,
            {dimension:String} = 'conversation', conversation_id,
            {dimension:String} = 'tag', arrayJoin(labels_told(tags::Array(String), labels)),
            {dimension:String} = 'attribute', arrayJoin(labels_told(arrayFilter(label -> label != '', [label_of(attributes)]), labels)),
            ''
        ) AS key,
        run_id,
        count() AS calls,
        countIf(tool_outcome = 'error') AS errors,
        quantileExactInclusive(0.5)(selected_spans.duration_ns) AS duration_ns
    FROM selected_spans
    {{when dimension = tag, attribute}} LEFT ANY JOIN labels_of_runs USING (run_id)
    WHERE kind = 'tool_call'
    GROUP BY key, run_id
) AS by_run {{filter_sets_of_runs}}
GROUP BY {{filter_set}} key
ORDER BY failing_runs DESC, key
