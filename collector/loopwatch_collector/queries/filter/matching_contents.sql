    SELECT trace_id, groupArray(hash) AS hashes
    FROM contents
    WHERE project = {project:String}
        AND day >= toDate(fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC') - INTERVAL 1 HOUR)
        AND day <= toDate(fromUnixTimestamp64Nano({to_ns:Int64}, 'UTC') + INTERVAL 1 DAY)
        -- the index knows which blocks lack a word; whether all stand there as in the phrase, each text says
        AND indexHint({{words}})
        AND if({{near}}, match(body, {{{pattern}}:String}), 0)
        AND {{of}}
    GROUP BY trace_id
