-- Under what the verdicts of the last week on a span, a response or a trace are kept: a run, a trace, or the response.
SELECT DISTINCT project, run_id
FROM verdicts FINAL
WHERE (span_id != '' OR match(run_id, '^[0-9a-f]{32}$')) AND time >= fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC')
LIMIT 50000
