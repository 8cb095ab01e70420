-- Letters without their bodies, the latest first.
SELECT id, kind, toUnixTimestamp64Nano(received_at) AS received_at_ns, reason, length(body) AS body_bytes, redriven_at
FROM dead_letters FINAL
WHERE project = {project:String} AND ({with_redriven:UInt8} OR redriven_at IS NULL)
ORDER BY received_at DESC, id
LIMIT {limit:UInt32}
