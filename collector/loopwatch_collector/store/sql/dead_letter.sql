-- A letter by the beginning of its id; of several with the same body the latest. base64: a result column is text.
SELECT
    id,
    kind,
    toUnixTimestamp64Nano(received_at) AS received_at_ns,
    reason,
    length(body) AS body_bytes,
    redriven_at,
    base64Encode(body) AS body_base64
FROM dead_letters FINAL
WHERE project = {project:String} AND startsWith(id, {id:String})
ORDER BY redriven_at IS NULL DESC, received_at DESC
LIMIT 1
