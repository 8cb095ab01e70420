SELECT intDiv(toUnixTimestamp(start_time), {step_s:UInt32}) AS step, count() AS spans
FROM spans
WHERE start_time >= fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC')
    AND start_time < fromUnixTimestamp64Nano({to_ns:Int64}, 'UTC')
GROUP BY step
