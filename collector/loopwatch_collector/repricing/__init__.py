"""Prices stored model calls again, after prices changed: day by day, the difference first."""
