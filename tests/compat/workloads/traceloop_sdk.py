"""Traceloop: its SDK's decorators and its instrumentation of the Anthropic client."""

import os

import anthropic
import incident
from traceloop.sdk import Traceloop
from traceloop.sdk.decorators import agent, tool

Traceloop.init(
    app_name="shop", api_endpoint=os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"], api_key="unused", disable_batch=True
)
Traceloop.set_association_properties({"session_id": incident.CONVERSATION_ID, "user_id": incident.USER_ID})
tools = {function.__name__: tool(name=function.__name__)(function) for function in incident.TOOLS}


@agent(name=incident.AGENT)
def resolve_incident() -> str:
    """The agent."""
    return incident.resolve(anthropic.Anthropic(), tools)


incident.report(resolve_incident())
