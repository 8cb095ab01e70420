-- With a codec of its own a column is not compressed harder when it is older (0096).
ALTER TABLE contents MODIFY COLUMN body CODEC(Default)
