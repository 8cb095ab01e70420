-- title: Slowest calls
-- description: Calls that took more than so many times the median of their key, the slowest first.
-- param: dimension Enum(tool, model, provider, agent) = tool | tool: tool calls; model and provider: model calls; agent: runs
-- param: factor Float64 = 5 | How many times the median counts as slow
-- column: key text | Value of the dimension
-- column: run_id text | The run
-- column: span_id text | The call
-- column: time time | When it started
-- column: duration_ns ns | How long it took
-- column: median_duration_ns ns | Median of its key
-- column: times_median ratio | duration_ns / median_duration_ns
-- with: selected_runs, selected_spans, timed_calls
-- threads: 2
WITH medians AS (SELECT key, quantileExactInclusive(0.5)(duration_ns) AS median FROM timed_calls GROUP BY key)
SELECT
    key,
    run_id,
    lower(hex(span_id)) AS span_id,
    start_time AS time,
    duration_ns,
    median AS median_duration_ns,
    duration_ns / median AS times_median
FROM timed_calls
INNER JOIN medians USING (key)
WHERE median > 0 AND duration_ns > {factor:Float64} * median
ORDER BY times_median DESC, run_id, span_id
