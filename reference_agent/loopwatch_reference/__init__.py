"""Reference agents, built with the SDK on the Anthropic client."""
