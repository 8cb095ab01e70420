trace_id IN (
            SELECT trace_id
            FROM log_events
            WHERE project = {project:String}
                AND time >= fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC') - INTERVAL 1 HOUR
                AND time < fromUnixTimestamp64Nano({to_ns:Int64}, 'UTC') + INTERVAL 1 DAY
                AND notEmpty(content_hashes)
        )
