-- title: Prompt caching
-- description: How much input came from the cache, by model, and what that saved against paying for it as input. Writing to the cache costs more than input; that is taken off.
-- column: provider text | The provider
-- column: model text | The model
-- column: calls calls | Model calls
-- column: input_tokens tokens | All input
-- column: cache_read_tokens tokens | Of it, read from the cache
-- column: cache_write_tokens tokens | Of it, written to the cache
-- column: hit_rate ratio | cache_read_tokens / input_tokens
-- column: cost_usd usd | What the calls cost
-- column: saved_usd usd | What they would have cost more without a cache; none where no call has a price
-- with: selected_runs, selected_spans, counted_calls
SELECT
    provider,
    model,
    count() AS calls,
    sum(counted_calls.input_tokens) AS input_tokens,
    sum(counted_calls.cache_read_tokens) AS cache_read_tokens,
    sum(cache_write_5m_tokens + cache_write_1h_tokens) AS cache_write_tokens,
    cache_read_tokens / nullIf(input_tokens, 0) AS hit_rate,
    sum(counted_calls.cost_usd) AS cost_usd,
    sum(uncached_cost_usd - input_cost_usd - cache_read_cost_usd - cache_write_cost_usd) AS saved_usd
FROM counted_calls
GROUP BY provider, model
ORDER BY cost_usd DESC NULLS LAST, provider, model
