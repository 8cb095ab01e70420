-- Words of messages, arguments and results, for the search. New parts get the index when they are written.
ALTER TABLE contents ADD INDEX IF NOT EXISTS body_words body TYPE text(tokenizer = 'splitByNonAlpha', preprocessor = lower(body))
