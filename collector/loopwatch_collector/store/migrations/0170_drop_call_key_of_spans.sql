-- It repeated the trace's id and the response's, 3 to 10 bytes a span; the two statements that need it put it together.
-- Old parts lose it in the background: 600 days of them take minutes.
ALTER TABLE spans DROP COLUMN IF EXISTS call_key SETTINGS alter_sync = 0
