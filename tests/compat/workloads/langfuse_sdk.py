"""Langfuse: its decorator, its observations, and its export, which also takes the Anthropic client's own spans."""

import anthropic
import incident
from langfuse import get_client, observe, propagate_attributes

tools = {tool.__name__: observe(tool, as_type="tool") for tool in incident.TOOLS}


@observe(name=incident.AGENT, as_type="agent")
def resolve_incident() -> str:
    """The agent; session and user are put on everything below."""
    return incident.resolve(anthropic.Anthropic(), tools)


with propagate_attributes(session_id=incident.CONVERSATION_ID, user_id=incident.USER_ID, tags=["production"]):
    answer = resolve_incident()
get_client().shutdown()
incident.report(answer)
