"""Strands: an agent with its own loop (it streams every model call) and its own telemetry."""

import incident
from strands import Agent, tool
from strands.models.anthropic import AnthropicModel
from strands.telemetry import StrandsTelemetry

telemetry = StrandsTelemetry().setup_otlp_exporter()
agent = Agent(
    model=AnthropicModel(model_id=incident.MODEL, max_tokens=incident.MAX_TOKENS),
    name=incident.AGENT,
    system_prompt=[{"text": incident.SYSTEM}, {"cachePoint": {"type": "default"}}],
    tools=[tool(function) for function in incident.TOOLS],
    trace_attributes={"session.id": incident.CONVERSATION_ID, "user.id": incident.USER_ID},
    callback_handler=None,
)
answer = agent(incident.QUESTION)
telemetry.tracer_provider.shutdown()
incident.report(str(answer))
