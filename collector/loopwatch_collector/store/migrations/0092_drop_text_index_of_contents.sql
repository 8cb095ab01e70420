-- On recorded conversations the text index took more than the bodies themselves (67 bytes a body against 50):
-- 0093 takes its place.
ALTER TABLE contents DROP INDEX IF EXISTS body_words
