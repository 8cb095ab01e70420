"""The read side over HTTP: runs, named queries, conversations, prices, verdicts."""
