-- It repeated the trace's id and the response's, 3 to 10 bytes a span; the two statements that need it put it together.
ALTER TABLE spans DROP COLUMN IF EXISTS call_key
