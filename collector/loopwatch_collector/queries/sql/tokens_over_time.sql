-- title: Tokens over time
-- description: Tokens by kind, in buckets of the run's start time. Input is uncached input: the four kinds add up to all tokens.
-- param: step_seconds UInt32 = 3600 | Width of a bucket in seconds
-- column: bucket time | Start of the bucket
-- column: token_kind text | input, cache_read, cache_write or output
-- column: tokens tokens | Tokens of that kind
-- with: selected_runs
SELECT
    toStartOfInterval(start_time, toIntervalSecond({step_seconds:UInt32})) AS bucket,
    kind.1 AS token_kind,
    sum(kind.2) AS tokens
FROM selected_runs
ARRAY JOIN [
    ('input', toUInt64(input_tokens - least(input_tokens, cache_read_tokens + cache_write_tokens))),
    ('cache_read', cache_read_tokens),
    ('cache_write', cache_write_tokens),
    ('output', output_tokens)
] AS kind
GROUP BY bucket, token_kind
ORDER BY bucket, token_kind
