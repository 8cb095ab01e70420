"""LangSmith: its wrapper of the Anthropic client and its decorator, exported over OpenTelemetry."""

import anthropic
import incident
from langsmith import traceable
from langsmith.run_trees import get_cached_client
from langsmith.wrappers import wrap_anthropic

tools = {tool.__name__: traceable(run_type="tool")(tool) for tool in incident.TOOLS}


@traceable(name=incident.AGENT, run_type="chain", metadata={"session_id": incident.CONVERSATION_ID})
def resolve_incident() -> str:
    """The agent."""
    return incident.resolve(wrap_anthropic(anthropic.Anthropic()), tools)


answer = resolve_incident()
get_cached_client().flush()
from opentelemetry import trace  # noqa: E402 the provider is LangSmith's, made on first use

trace.get_tracer_provider().shutdown()
incident.report(answer)
