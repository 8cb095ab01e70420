"""The collector: OTLP in, priced rows in ClickHouse, answers out."""
