-- The words of 1,024 bodies in 8 KB: of 8,000 different ones, as conversations have, a fortieth of the others seems to be
-- there. A search passes over the blocks that lack a word.
ALTER TABLE contents ADD INDEX IF NOT EXISTS body_tokens lower(body) TYPE tokenbf_v1(8192, 3, 0) GRANULARITY 1
