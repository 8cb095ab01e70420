-- How many spans are stored of each day, whoever's they are: parts know.
SELECT toUInt16(toDateOrZero(extract(partition, '\'(\\d{4}-\\d{2}-\\d{2})\'\\)$'))) AS day, sum(rows)
FROM system.parts
WHERE database = currentDatabase() AND table = 'spans' AND active
GROUP BY day
