"""A simulated Messages API: a local HTTP server that speaks Anthropic's protocol.

It checks requests, keeps a prompt cache, counts tokens, answers as JSON or as a stream, and refuses with 400, 401,
404, 429 and 529 the way the real one does. What it answers comes from a policy that reads the conversation.
Shapes, event order and cumulative usage are tested against recorded exchanges with the real API.
"""
