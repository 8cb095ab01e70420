"""The journal: what was acknowledged and is not yet in the store, on disk."""
