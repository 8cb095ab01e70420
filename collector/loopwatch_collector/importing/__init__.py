"""Import: recorded transcripts become the spans a live agent would have sent."""
