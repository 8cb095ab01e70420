"""OpenInference: its instrumentation of the Anthropic client, its agent and tool decorators."""

import anthropic
import incident
from openinference.instrumentation import OITracer, TraceConfig, using_attributes
from openinference.instrumentation.anthropic import AnthropicInstrumentor

provider = incident.tracer_provider()
AnthropicInstrumentor().instrument(tracer_provider=provider)
tracer = OITracer(provider.get_tracer("openinference.shop"), config=TraceConfig())
tools = {tool.__name__: tracer.tool(tool) for tool in incident.TOOLS}
with using_attributes(session_id=incident.CONVERSATION_ID, user_id=incident.USER_ID, tags=["production"]):
    answer = tracer.agent(name=incident.AGENT)(lambda: incident.resolve(anthropic.Anthropic(), tools))()
provider.shutdown()
incident.report(answer)
