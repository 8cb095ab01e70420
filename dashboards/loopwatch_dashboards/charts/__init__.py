"""Charts as functions of values: rows of a named query in, an Altair chart out."""
