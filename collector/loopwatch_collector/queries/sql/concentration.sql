-- title: Concentration of cost
-- description: What share of tokens and cost the most expensive few take: the top 1, 5, 10, 20 and 50 % of the keys by tokens.
-- param: dimension Enum(conversation, customer, user, agent, run) = conversation | Whose shares
-- column: top_share ratio | Share of the keys
-- column: keys count | How many keys that is (rounded up)
-- column: all_keys count | How many there are
-- column: tokens tokens | Tokens of these keys
-- column: token_share ratio | Of all tokens
-- column: cost_usd usd | Cost of these keys
-- column: cost_share ratio | Of all cost
-- with: selected_runs
WITH ranked AS (
    SELECT
        sum(input_tokens + output_tokens) AS tokens,
        sum(toFloat64(ifNull(cost_usd, 0))) AS cost,
        row_number() OVER (ORDER BY tokens DESC, cost DESC) AS place,
        count() OVER () AS keys,
        sum(tokens) OVER () AS all_tokens,
        sum(cost) OVER () AS all_cost
    FROM selected_runs
    GROUP BY multiIf(
        {dimension:String} = 'conversation', conversation_id,
        {dimension:String} = 'customer', customer_id,
        {dimension:String} = 'user', user_id,
        {dimension:String} = 'agent', toString(agent),
        run_id
    ) AS key
    HAVING key != ''
)
SELECT
    share AS top_share,
    countIf(place <= ceil(ranked.keys * share)) AS keys,
    any(ranked.keys) AS all_keys,
    sumIf(ranked.tokens, place <= ceil(ranked.keys * share)) AS tokens,
    tokens / nullIf(any(all_tokens), 0) AS token_share,
    sumIf(cost, place <= ceil(ranked.keys * share)) AS cost_usd,
    cost_usd / nullIf(any(all_cost), 0) AS cost_share
FROM ranked
ARRAY JOIN [0.01, 0.05, 0.1, 0.2, 0.5] AS share
GROUP BY share
ORDER BY share
