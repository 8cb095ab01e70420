SELECT run_id
FROM spans FINAL
WHERE project = {project:String}
    AND start_time >= fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC') - INTERVAL 1 HOUR
    AND start_time < fromUnixTimestamp64Nano({to_ns:Int64}, 'UTC') + INTERVAL 1 DAY
    AND positionCaseInsensitiveUTF8(error_message, {{{phrase}}:String}) > 0
UNION DISTINCT
SELECT run_id
FROM spans
INNER JOIN (
    SELECT trace_id, groupArray(hash) AS hashes
    FROM contents
    WHERE project = {project:String}
        AND day >= toDate(fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC') - INTERVAL 1 HOUR)
        AND day <= toDate(fromUnixTimestamp64Nano({to_ns:Int64}, 'UTC') + INTERVAL 1 DAY)
        -- the index knows which blocks lack a word; whether all stand there as words, and as in the phrase, each text says
        AND indexHint(hasAll(tokens(lower(body)), {{{words}}:Array(String)}))
        AND if(positionCaseInsensitiveUTF8(body, {{{phrase}}:String}) > 0, hasAll(tokens(lower(body)), {{{words}}:Array(String)}), 0)
    GROUP BY trace_id
) AS matched ON matched.trace_id = spans.trace_id
WHERE project = {project:String}
    AND start_time >= fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC') - INTERVAL 1 HOUR
    AND start_time < fromUnixTimestamp64Nano({to_ns:Int64}, 'UTC') + INTERVAL 1 DAY
    AND hasAny(content_hashes, matched.hashes)
