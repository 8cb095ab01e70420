-- The words of 1,024 bodies in one bloom filter: 2 bytes a body. A search passes over those that lack a word.
ALTER TABLE contents ADD INDEX IF NOT EXISTS body_words tokens(lower(body)) TYPE bloom_filter(0.02) GRANULARITY 1
