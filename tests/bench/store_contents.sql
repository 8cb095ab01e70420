-- The bodies the spans of store_spans.sql refer to: a system prompt, messages, arguments and results, of words.
INSERT INTO contents (project, trace_id, hash, day, body)
WITH
    cityHash64({day:Date}, n) AS seed,
    6 + seed % 3 AS passes,
    cityHash64(seed, piece) AS chance,
    splitByChar(' ', 'the error rate of checkout service rose after deployment at host db timeout while waiting for connection pool exhausted retry later customer order payment failed latency quantile above limit rolled back version metric cpu memory disk queue depth normal again no incident found please check logs between minutes') AS words
SELECT
    {project:String},
    MD5(toString(seed)),
    multiIf(piece = 0, cityHash64(seed, 1000), piece <= 40, cityHash64(seed, 2000 + piece - 1), cityHash64(seed, 3000 + piece - 40)),
    {day:Date},
    if(piece = 0,
        repeat('You resolve incidents of a shop. Think step by step, use the tools, and say when you cannot. ', 20),
        concat(
            '{"role":"', if(piece > 40, 'arguments', 'tool'), '","parts":[{"type":"text","content":"',
            arrayStringConcat(arrayMap(i -> concat(words[cityHash64(chance, i) % length(words) + 1], if(cityHash64(chance, i) % 7 = 0, toString(cityHash64(chance, i) % 10000), '')), range(if(piece > 40, 12, 40 + chance % 120))), ' '),
            '"}]}'))
FROM (SELECT number AS n FROM numbers({runs:UInt64}))
ARRAY JOIN arrayConcat([0], range(1, toUInt64(4 * (6 + cityHash64({day:Date}, n) % 3))), arrayFilter(k -> (k + 40 + 4) % 5 >= 2, range(41, toUInt64(41 + 5 * (6 + cityHash64({day:Date}, n) % 3))))) AS piece
