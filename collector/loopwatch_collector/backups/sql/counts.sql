SELECT table, sum(rows) AS rows
FROM system.parts
WHERE active AND database = 'default' AND table IN ('spans', 'runs', 'contents', 'verdicts')
GROUP BY table
ORDER BY table
