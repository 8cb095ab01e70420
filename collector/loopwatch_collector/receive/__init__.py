"""The first room: requests in, acknowledged when their body is in the journal."""
