"""Logfire: its instrumentation of the Anthropic client, under a span of its own."""

import anthropic
import incident
import logfire

logfire.configure(send_to_logfire=False, console=False)
logfire.instrument_anthropic()
with logfire.span("handle alert"):
    answer = incident.resolve(anthropic.Anthropic(), incident.plain_tools())
logfire.shutdown()
incident.report(answer)
