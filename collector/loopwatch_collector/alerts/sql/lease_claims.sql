SELECT term, holder, toUnixTimestamp64Nano(toDateTime64(until, 9, 'UTC')) AS until_ns, row_version
FROM leases FINAL
WHERE name = {name:String}
ORDER BY term DESC, claimed_at, holder
LIMIT 100
