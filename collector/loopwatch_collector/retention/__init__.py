"""Retention and deletion: what is old goes by itself, and what is asked for goes provably."""
