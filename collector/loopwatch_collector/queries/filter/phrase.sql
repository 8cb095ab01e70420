SELECT run_id
FROM spans FINAL
-- FINAL reads every column of every span it compares: those of traces without such an error need not be compared. A
-- trace is a part of a span's identity, so all that was ever said of a span is compared, or none.
PREWHERE trace_id IN (
    SELECT trace_id
    FROM spans
    WHERE project = {project:String}
        AND start_time >= fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC') - INTERVAL 1 HOUR
        AND start_time < fromUnixTimestamp64Nano({to_ns:Int64}, 'UTC') + INTERVAL 1 DAY
        AND error_message != ''
        AND (positionCaseInsensitiveUTF8(error_message, {{{phrase}}:String}) > 0 OR match(error_message, {{{pattern}}:String}))
)
WHERE project = {project:String}
    AND start_time >= fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC') - INTERVAL 1 HOUR
    AND start_time < fromUnixTimestamp64Nano({to_ns:Int64}, 'UTC') + INTERVAL 1 DAY
    AND error_message != ''
    AND (positionCaseInsensitiveUTF8(error_message, {{{phrase}}:String}) > 0 OR match(error_message, {{{pattern}}:String}))
UNION DISTINCT
SELECT run_id
FROM spans
INNER JOIN (
{{contents}}
) AS matched ON matched.trace_id = spans.trace_id
WHERE project = {project:String}
    AND start_time >= fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC') - INTERVAL 1 HOUR
    AND start_time < fromUnixTimestamp64Nano({to_ns:Int64}, 'UTC') + INTERVAL 1 DAY
    AND hasAny(content_hashes, matched.hashes)
{{of_logs}}
