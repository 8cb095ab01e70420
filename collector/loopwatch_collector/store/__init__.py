"""The store: ClickHouse, embedded or served, behind one client."""
