-- What was charged for a token on some days, by the list that was looked up last.
SELECT provider, model, valid_from, valid_to, tier, above_input_tokens, kind, usd_per_token, source, version
FROM rates FINAL
WHERE valid_from >= {first:Date} AND valid_from <= {last:Date}
    AND has({models:Array(String)}, model)
ORDER BY valid_from, provider, model, tier, above_input_tokens, kind
LIMIT 100000
