-- title: Cost over time
-- description: Cost and tokens by one dimension, in buckets of the run's start time.
-- param: step_seconds UInt32 = 3600 | Width of a bucket in seconds
-- param: dimension Enum(model, agent, version, customer, environment, user, conversation, outcome, token_kind, prompt_version, tool) = model | What to tell apart
-- column: bucket time | Start of the bucket
-- column: key text | Value of the dimension
-- column: cost_usd usd | Sum over the calls that have a price; none where no call has one
-- column: tokens tokens | Input and output
-- column: runs runs | Runs with a share in the key
-- with: selected_runs, run_shares by dimension
SELECT
    toStartOfInterval(start_time, toIntervalSecond({step_seconds:UInt32})) AS bucket,
    key,
    sum(run_shares.cost_usd) AS cost_usd,
    -- for kinds of token the parts of the input stand beside each other, so they are added, not included
    if({dimension:String} = 'token_kind',
        sum(input_tokens + output_tokens + cache_read_tokens + cache_write_tokens),
        sum(input_tokens + output_tokens)) AS tokens,
    count() AS runs
FROM run_shares
GROUP BY bucket, key
ORDER BY bucket, key
