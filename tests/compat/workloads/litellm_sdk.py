"""LiteLLM: its OpenTelemetry callback; the agent's loop over its completion function."""

import json
import time

import incident
import litellm

litellm.callbacks = ["otel"]
messages = [
    {"role": "system", "content": incident.SYSTEM_BLOCKS},
    {"role": "user", "content": incident.QUESTION},
]
tools = [
    {
        "type": "function",
        "function": {
            "name": schema["name"],
            "description": schema["description"],
            "parameters": schema["input_schema"],
        },
    }
    for schema in incident.TOOL_SCHEMAS
]
while True:
    request = {
        "model": f"anthropic/{incident.MODEL}",
        "max_tokens": incident.MAX_TOKENS,
        "messages": messages,
        "tools": tools,
        "metadata": {"session_id": incident.CONVERSATION_ID, "user_id": incident.USER_ID},
    }
    if len(messages) == 2:
        reply = litellm.completion(**request)
    else:
        chunks = list(litellm.completion(**request, stream=True, stream_options={"include_usage": True}))
        reply = litellm.stream_chunk_builder(chunks, messages=messages)
    message = reply.choices[0].message
    if not message.tool_calls:
        break
    messages.append(message.model_dump(exclude_none=True))
    for call in message.tool_calls:
        try:
            result = incident.plain_tools()[call.function.name](**json.loads(call.function.arguments or "{}"))
        except incident.BackendTimedOut as fault:
            result = str(fault)
        messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
time.sleep(5)  # its callbacks run in a thread that nothing waits for
from opentelemetry import trace  # noqa: E402 the provider is LiteLLM's, made on first use

trace.get_tracer_provider().force_flush()
incident.report(message.content)
