-- Under what the verdicts of the last week on a span or a response are kept: a run, a trace, or the response.
SELECT DISTINCT project, run_id
FROM verdicts FINAL
WHERE span_id != '' AND time >= fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC')
LIMIT 50000
