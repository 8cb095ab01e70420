"""Export: the stored rows themselves, as Parquet, for whoever wants them elsewhere."""
