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
-- column: saved_usd usd | What they would have cost more without a cache; none where no uncached input tells its price
-- with: selected_runs, selected_spans, counted_calls
WITH by_model AS (
SELECT
    provider,
    model,
    count() AS calls,
    sum(counted_calls.input_tokens) AS input_tokens,
    sum(counted_calls.cache_read_tokens) AS cache_read_tokens,
    sum(cache_write_5m_tokens + cache_write_1h_tokens) AS cache_write_tokens,
    cache_read_tokens / nullIf(input_tokens, 0) AS hit_rate,
    sum(counted_calls.cost_usd) AS cost_usd,
    -- the price of a token of input, from what the calls paid for uncached input
    sum(toFloat64(input_cost_usd))
        / nullIf(sumIf(toInt64(counted_calls.input_tokens) - toInt64(counted_calls.cache_read_tokens)
            - toInt64(cache_write_5m_tokens) - toInt64(cache_write_1h_tokens), isNotNull(input_cost_usd)), 0) AS input_rate,
    (cache_read_tokens + cache_write_tokens) * input_rate
        - sum(toFloat64(cache_read_cost_usd)) - sum(toFloat64(cache_write_cost_usd)) AS saved
FROM counted_calls
GROUP BY provider, model
)
SELECT provider, model, calls, input_tokens, cache_read_tokens, cache_write_tokens, hit_rate, cost_usd, saved AS saved_usd
FROM by_model
ORDER BY cost_usd DESC NULLS LAST, provider, model
