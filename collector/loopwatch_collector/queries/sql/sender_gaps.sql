-- title: Gaps by sending process
-- description: Spans that are missing between the numbers a process gave its spans. Spans on their way, and those it dropped itself, are among them. Only senders that number their spans; the filters do not apply.
-- column: process_id text | The sending process
-- column: service text | Its service
-- column: spans count | Spans of it in the range
-- column: missing count | Numbers between the first and the last that no span has
-- column: last_seen time | When its last span started
SELECT
    process_id,
    any(service) AS service,
    uniqExact(seq) AS spans,
    max(seq) - min(seq) + 1 - uniqExact(seq) AS missing,
    max(start_time) AS last_seen
FROM spans
WHERE project = {project:String}
    AND start_time >= fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC')
    AND start_time < fromUnixTimestamp64Nano({to_ns:Int64}, 'UTC')
    AND seq > 0
GROUP BY process_id
ORDER BY missing DESC, process_id
