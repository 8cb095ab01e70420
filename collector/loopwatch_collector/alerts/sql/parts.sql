-- The parts of the tables that rules ask about. A part that was inserted or merged since the last look has a name of
-- its own; one that holds something new has a higher block than its partition had.
SELECT table, partition, name, level, max_block_number
FROM system.parts
WHERE active AND database = currentDatabase() AND table IN ('spans', 'runs', 'metric_points', 'verdicts', 'log_events')
