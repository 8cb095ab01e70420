"""OpenTelemetry's own instrumentation of the Anthropic client, under a span of the application."""

import anthropic
import incident
from opentelemetry.instrumentation.genai.anthropic import AnthropicInstrumentor

provider = incident.tracer_provider()
AnthropicInstrumentor().instrument()
with provider.get_tracer("shop").start_as_current_span("POST /alerts") as span:
    span.set_attribute("gen_ai.conversation.id", incident.CONVERSATION_ID)
    answer = incident.resolve(anthropic.Anthropic(), incident.plain_tools())
provider.shutdown()
incident.report(answer)
