-- Rises with every insert into spans, and with nothing else that matters: merges keep the block numbers.
SELECT sum(max_block_number), count()
FROM (
    SELECT partition, max(max_block_number) AS max_block_number
    FROM system.parts
    WHERE active AND database = currentDatabase() AND table = 'spans'
    GROUP BY partition
)
