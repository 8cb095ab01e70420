-- title: Cost by dimension
-- description: What each value of one dimension costs, the dearest first. The parts add up to the whole: a cost that was reported for a run as a whole is told under no model, (no tool) and, by kind of token, (not split).
-- param: dimension Enum(model, agent, version, customer, environment, user, conversation, outcome, token_kind, prompt_version, tool) = model | What to tell apart
-- column: key text | Value of the dimension
-- column: runs runs | Runs with a share in the key
-- column: model_calls calls | Model calls, each counted once
-- column: cost_usd usd | Sum over the calls that have a price; none where no call has one
-- column: input_tokens tokens | All input, cached input included (for token_kind: uncached input)
-- column: output_tokens tokens | All output
-- column: cache_read_tokens tokens | Input read from the provider's cache
-- column: cache_write_tokens tokens | Input written to the provider's cache
-- column: unpriced_tokens tokens | Tokens of calls whose model has no price
-- with: selected_runs, run_shares by dimension
SELECT
    key,
    count() AS runs,
    sum(run_shares.model_calls) AS model_calls,
    sum(run_shares.cost_usd) AS cost_usd,
    sum(run_shares.input_tokens) AS input_tokens,
    sum(run_shares.output_tokens) AS output_tokens,
    sum(run_shares.cache_read_tokens) AS cache_read_tokens,
    sum(run_shares.cache_write_tokens) AS cache_write_tokens,
    sum(run_shares.unpriced_tokens) AS unpriced_tokens
FROM run_shares
GROUP BY key
ORDER BY cost_usd DESC NULLS LAST, input_tokens + output_tokens DESC, key
