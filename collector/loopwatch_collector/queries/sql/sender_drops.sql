-- title: Spans that senders say they dropped
-- description: What SDKs reported in the range (by the time their report came) to have dropped, beyond what the same process had reported within 30 days before. The filters do not apply.
-- column: source text | Service, process and reason
-- column: service text | The sending service
-- column: process_id text | Its process
-- column: reason text | queue_full, spool_full, spool_failed, rejected or unreadable
-- column: dropped_spans count | Spans it dropped
-- column: last_seen time | When it last said so
SELECT
    concat(service, ' ', process_id, ' ', reason) AS source,
    service,
    process_id,
    reason,
    sum(increase) AS dropped_spans,
    max(latest) AS last_seen
FROM (
    SELECT
        service,
        process_id,
        attributes['loopwatch.drop.reason'] AS reason,
        -- a process reports its count since it began, whenever that changed
        greatest(0, maxIf(value, row_version >= {from_ns:Int64}) - maxIf(value, row_version < {from_ns:Int64})) AS increase,
        max(time) AS latest
    FROM metric_points FINAL
    WHERE project = {project:String}
        AND metric = 'loopwatch.sdk.dropped_spans'
        AND time >= fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC') - INTERVAL 30 DAY
        AND row_version < {to_ns:Int64}
    GROUP BY series, start_time, service, process_id, reason
)
WHERE increase > 0
GROUP BY service, process_id, reason
ORDER BY dropped_spans DESC, source
