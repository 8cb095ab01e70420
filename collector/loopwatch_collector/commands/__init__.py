"""Subcommands that ask a running collector, or work on its store while it is stopped."""
