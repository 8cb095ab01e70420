(
            -- A text lies on the day its span started. On the days around the range it matters only for traces that go
            -- over an end of it, which are few: without that, two days are read for a question about one.
            day >= toDate(fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({to_ns:Int64}, 'UTC'))
            OR trace_id IN (
                SELECT trace_id
                FROM spans
                WHERE project = {project:String}
                    AND start_time >= fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC') - INTERVAL 1 HOUR
                    AND start_time < fromUnixTimestamp64Nano({to_ns:Int64}, 'UTC') + INTERVAL 1 DAY
                    AND (
                        start_time < fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC') + INTERVAL 1 DAY
                        OR start_time > fromUnixTimestamp64Nano({to_ns:Int64}, 'UTC') - INTERVAL 1 DAY
                    )
                GROUP BY trace_id
                HAVING (min(start_time) < fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC') AND max(start_time) >= fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC'))
                    OR (min(start_time) <= fromUnixTimestamp64Nano({to_ns:Int64}, 'UTC') AND max(start_time) > fromUnixTimestamp64Nano({to_ns:Int64}, 'UTC'))
            )
        )
