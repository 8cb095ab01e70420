-- Half of what merging contents took was counting each block's different words for a filter of just that size: 0172 takes
-- its place.
ALTER TABLE contents DROP INDEX IF EXISTS body_words
