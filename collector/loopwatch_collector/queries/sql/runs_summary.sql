-- title: Runs at a glance
-- description: How many runs started in the range, how they ended, what they cost. Rates are shares of the runs that have ended.
-- column: runs runs | Runs that started in the range
-- column: completed runs | Ended as completed
-- column: escalated runs | Handed to a human
-- column: failed runs | Ended by an exception
-- column: stopped runs | Stopped by a limit or a breaker
-- column: open runs | Without an end so far, abandoned ones included
-- column: completion_rate ratio | completed / ended
-- column: escalation_rate ratio | escalated / ended
-- column: failure_rate ratio | failed / ended
-- column: cost_usd usd | Sum over the calls that have a price; none where no call has one
-- column: unpriced_tokens tokens | Tokens of calls whose model has no price
-- column: input_tokens tokens | All input, cached input included
-- column: output_tokens tokens | All output
-- column: total_tokens tokens | Input and output
-- column: p50_duration_ns ns | Median duration of ended runs
-- column: p95_duration_ns ns | 95th percentile of the duration of ended runs
-- column: iterations count | Passes of the agents' loops
-- column: tool_calls calls | Tool calls
-- column: tool_errors calls | Tool calls with the outcome error
-- with: selected_runs
SELECT
    count() AS runs,
    countIf(outcome = 'completed') AS completed,
    countIf(outcome = 'escalated') AS escalated,
    countIf(outcome = 'failed') AS failed,
    countIf(outcome = 'stopped') AS stopped,
    countIf(NOT ended) AS open,
    completed / nullIf(runs - open, 0) AS completion_rate,
    escalated / nullIf(runs - open, 0) AS escalation_rate,
    failed / nullIf(runs - open, 0) AS failure_rate,
    sum(selected_runs.cost_usd) AS cost_usd,
    sum(selected_runs.unpriced_tokens) AS unpriced_tokens,
    sum(selected_runs.input_tokens) AS input_tokens,
    sum(selected_runs.output_tokens) AS output_tokens,
    input_tokens + output_tokens AS total_tokens,
    quantileExactInclusiveOrNullIf(0.5)(duration_ns, ended) AS p50_duration_ns,
    quantileExactInclusiveOrNullIf(0.95)(duration_ns, ended) AS p95_duration_ns,
    sum(selected_runs.iterations) AS iterations,
    sum(selected_runs.tool_calls) AS tool_calls,
    sum(selected_runs.tool_errors) AS tool_errors
FROM selected_runs
