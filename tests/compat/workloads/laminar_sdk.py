"""Laminar: its decorator and its instrumentation of the Anthropic client."""

import os
from urllib.parse import urlsplit

import anthropic
import incident
from lmnr import Instruments, Laminar, observe

sink = urlsplit(os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"])
Laminar.initialize(
    project_api_key="unused",
    base_url=f"http://{sink.hostname}",
    http_port=sink.port,
    force_http=True,
    instruments={Instruments.ANTHROPIC},
)
tools = {tool.__name__: observe(span_type="TOOL")(tool) for tool in incident.TOOLS}


@observe(name=incident.AGENT, session_id=incident.CONVERSATION_ID, user_id=incident.USER_ID, tags=["production"])
def resolve_incident() -> str:
    """The agent."""
    return incident.resolve(anthropic.Anthropic(), tools)


answer = resolve_incident()
Laminar.flush()
Laminar.shutdown()
incident.report(answer)
