-- Every stored day of every project, by table; the engine writes a partition's value as ('project','2026-01-31').
SELECT
    table,
    partition_id,
    extract(partition, '^\\(\'(.*)\',\'[0-9-]{10}\'\\)$') AS project,
    toDate(extract(partition, '\'([0-9-]{10})\'\\)$')) AS day,
    sum(rows) AS rows,
    sum(bytes_on_disk) AS bytes_on_disk
FROM system.parts
WHERE active AND database = currentDatabase() AND table IN {tables:Array(String)}
GROUP BY table, partition_id, project, day
ORDER BY table, project, day
