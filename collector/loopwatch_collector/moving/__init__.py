"""Moving an embedded store to a ClickHouse server: day by day, compared row by row; broken off, it goes on."""
