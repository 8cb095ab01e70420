-- name: schema
CREATE TABLE IF NOT EXISTS records (
    id INTEGER PRIMARY KEY AUTOINCREMENT, -- never used twice, so that a checkpoint cannot meet a newer record
    kind TEXT NOT NULL,                   -- traces | logs | metrics
    project TEXT NOT NULL,
    received_at_ns INTEGER NOT NULL,
    encoding TEXT NOT NULL,               -- '' or gzip: the body as it came
    items INTEGER NOT NULL,               -- spans, log records or data points
    body_bytes INTEGER NOT NULL,
    body BLOB NOT NULL,
    memory_bytes INTEGER NOT NULL DEFAULT 0, -- what the decoded body needs, estimated
    crc32 INTEGER                            -- of the body: SQLite does not notice a page that rots
) STRICT

-- name: schema_latest
-- Outlives the records: received_at rises over a restart with an empty journal and a clock that was set back.
CREATE TABLE IF NOT EXISTS latest (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    received_at_ns INTEGER NOT NULL
) STRICT

-- name: add_memory_bytes
ALTER TABLE records ADD COLUMN memory_bytes INTEGER NOT NULL DEFAULT 0

-- name: add_crc32
ALTER TABLE records ADD COLUMN crc32 INTEGER

-- name: last_id
SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'records'), 0)

-- name: last_received
SELECT max(
    coalesce((SELECT received_at_ns FROM latest), 0),
    coalesce((SELECT received_at_ns FROM records ORDER BY id DESC LIMIT 1), 0)
)

-- name: append
INSERT INTO records (kind, project, received_at_ns, encoding, items, body_bytes, body, memory_bytes, crc32)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
RETURNING id

-- name: note_latest
INSERT INTO latest (one, received_at_ns) VALUES (1, ?)
ON CONFLICT (one) DO UPDATE SET received_at_ns = excluded.received_at_ns

-- name: read
SELECT id, kind, project, received_at_ns, encoding, items, memory_bytes, crc32 FROM records WHERE id > ? ORDER BY id

-- name: read_body
SELECT body FROM records WHERE id = ?

-- name: bytes_through
SELECT coalesce(sum(body_bytes), 0) FROM records WHERE id <= ?

-- name: discard
DELETE FROM records WHERE id <= ?

-- name: backlog
-- Ids are dense, so their span is the count; counting rows would read all their pages.
SELECT
    coalesce((SELECT max(id) FROM records) - (SELECT min(id) FROM records) + 1, 0),
    (SELECT received_at_ns FROM records ORDER BY id LIMIT 1)

-- name: walk
SELECT id FROM records ORDER BY id

-- name: walk_back
SELECT id FROM records ORDER BY id DESC

-- name: whole
SELECT id, kind, project, received_at_ns, encoding, items, body_bytes, body, memory_bytes, crc32 FROM records
WHERE id = ?

-- name: restore
INSERT INTO records (id, kind, project, received_at_ns, encoding, items, body_bytes, body, memory_bytes, crc32)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
