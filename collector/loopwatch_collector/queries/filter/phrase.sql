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
        -- the index knows words; whether they stand as in the phrase, the text itself says
        AND (empty({{{words}}:Array(String)}) OR hasAllTokens(body, {{{words}}:Array(String)}))
        AND positionCaseInsensitiveUTF8(body, {{{phrase}}:String}) > 0
    GROUP BY trace_id
) AS matched ON matched.trace_id = spans.trace_id
WHERE project = {project:String}
    AND start_time >= fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC') - INTERVAL 1 HOUR
    AND start_time < fromUnixTimestamp64Nano({to_ns:Int64}, 'UTC') + INTERVAL 1 DAY
    AND hasAny(content_hashes, matched.hashes)
