-- What was stored before gets the index in the background; until then a search reads it as it is.
ALTER TABLE contents MATERIALIZE INDEX body_tokens SETTINGS mutations_sync = 0
