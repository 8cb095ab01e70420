-- name: schema
CREATE TABLE IF NOT EXISTS records (
    id INTEGER PRIMARY KEY AUTOINCREMENT, -- never used twice, so that a checkpoint cannot meet a newer record
    kind TEXT NOT NULL,                   -- traces | logs | metrics
    project TEXT NOT NULL,
    received_at_ns INTEGER NOT NULL,
    encoding TEXT NOT NULL,               -- '' or gzip: the body as it came
    items INTEGER NOT NULL,               -- spans, log records or data points
    body_bytes INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT

-- name: append
INSERT INTO records (kind, project, received_at_ns, encoding, items, body_bytes, body) VALUES (?, ?, ?, ?, ?, ?, ?)
RETURNING id

-- name: read
SELECT id, kind, project, received_at_ns, encoding, items, body FROM records WHERE id > ? ORDER BY id

-- name: discard
DELETE FROM records WHERE id <= ?

-- name: backlog
SELECT count(*), coalesce(sum(body_bytes), 0), min(received_at_ns) FROM records
