"""What every workload does: a small agent that resolves one incident, and the tools it has.

Only the standard library is imported here: each workload runs in the environment of the library it shows.
"""

import json
import os
from collections.abc import Callable
from typing import Any

MODEL = "claude-opus-5-5"
MAX_TOKENS = 1024
AGENT = "incident-resolver"
CONVERSATION_ID = "conversation-4711"
USER_ID = "user-17"
QUESTION = "checkout-api: error rate 12% over the last 10 minutes (threshold 2%)"
# Long enough for the model to cache it.
SYSTEM = "\n".join(
    (
        "You are the incident resolver of an online shop. Find the service at fault, open one ticket, then stop.",
        "# The services and whom they call",
        "- web-frontend calls checkout-api, search-api.",
        "- checkout-api calls payment-gateway, orders-db.",
        "- payment-gateway.",
        "- orders-db.",
        "- search-api.",
        "# Rules",
        *(
            f"{number}. An error about a call to another service is a symptom: look at that service before you decide "
            f"anything about this one, and write down which of the sources of rule {number} agree with it."
            for number in range(1, 31)
        ),
    )
)
# As the Messages API wants it: the mark lets the whole prefix, tools included, be cached.
SYSTEM_BLOCKS = [{"type": "text", "text": SYSTEM, "cache_control": {"type": "ephemeral"}}]

executed: list[str] = []
"""The tools that were executed, in order: what a payload's tool calls are compared with."""
failed: list[str] = []
"""Those among them that failed."""


class BackendTimedOut(Exception):
    """What the metrics answer the first time; the simulated model then asks again."""


def search_logs(query: str, minutes: int = 30) -> str:
    """Finds log lines in which every word of the query occurs."""
    executed.append("search_logs")
    line = {"level": "ERROR", "service": "checkout-api", "message": f"NullPointerException in CartTotal ({query})"}
    return json.dumps({"minutes": minutes, "lines": [line]})


def get_metrics(service: str, metric: str) -> str:
    """Reads one metric of one service, with its usual value."""
    executed.append("get_metrics")
    if not failed:
        failed.append("get_metrics")
        raise BackendTimedOut("the metrics backend timed out")
    return json.dumps({"service": service, "metric": metric, "usual": 0.004, "values": [0.004, 0.09, 0.12]})


def list_recent_deployments() -> str:
    """Lists the releases of the last day."""
    executed.append("list_recent_deployments")
    return json.dumps([{"service": "checkout-api", "version": "2.14.0"}])


def create_incident_ticket(title: str, severity: str) -> str:
    """Opens a ticket for the team that owns the service."""
    executed.append("create_incident_ticket")
    return json.dumps({"ticket": "INC-1042", "title": title, "severity": severity})


TOOLS: tuple[Callable[..., str], ...] = (
    search_logs,
    get_metrics,
    list_recent_deployments,
    create_incident_ticket,
)
_TEXT = {"type": "string"}
_PARAMETERS: dict[str, dict[str, Any]] = {
    "search_logs": {"query": _TEXT, "minutes": {"type": "integer"}},
    "get_metrics": {"service": _TEXT, "metric": _TEXT},
    "list_recent_deployments": {},
    "create_incident_ticket": {"title": _TEXT, "severity": _TEXT},
}
TOOL_SCHEMAS = [
    {
        "name": tool.__name__,
        "description": tool.__doc__,
        "input_schema": {"type": "object", "properties": _PARAMETERS[tool.__name__]},
    }
    for tool in TOOLS
]


def resolve(client: Any, tools: dict[str, Callable[..., str]]) -> str:
    """The agent's loop over a plain Anthropic client: the first call whole, the others streamed.

    Args:
        client: an `anthropic.Anthropic`.
        tools: what runs when the model asks for a tool, by name: the functions above, wrapped by a library or not.

    Returns:
        The model's last words.
    """
    messages: list[dict[str, Any]] = [{"role": "user", "content": QUESTION}]
    while True:
        request = {
            "model": MODEL,
            "max_tokens": MAX_TOKENS,
            "system": SYSTEM_BLOCKS,
            "tools": TOOL_SCHEMAS,
            "messages": messages,
        }
        if len(messages) == 1:
            answer = client.messages.create(**request)
        else:
            with client.messages.stream(**request) as stream:
                for _ in stream.text_stream:
                    pass  # LangSmith sees a stream only where it is iterated
                answer = stream.get_final_message()
        asked = [block for block in answer.content if block.type == "tool_use"]
        if not asked:
            return "".join(block.text for block in answer.content if block.type == "text")
        messages.append({"role": "assistant", "content": [block.model_dump(mode="json") for block in answer.content]})
        messages.append(
            {
                "role": "user",
                "content": [_executed(tools[block.name], block) for block in asked],
            }
        )


def _executed(tool: Callable[..., str], block: Any) -> dict[str, Any]:
    result = {"type": "tool_result", "tool_use_id": block.id}
    try:
        return {**result, "content": tool(**block.input)}
    except BackendTimedOut as fault:
        return {**result, "content": str(fault), "is_error": True}


def plain_tools() -> dict[str, Callable[..., str]]:
    """The tools by name, wrapped by nothing."""
    return {tool.__name__: tool for tool in TOOLS}


def report(answer: str) -> None:
    """Writes what was done to the file the runner reads."""
    with open(os.environ["COMPAT_REPORT"], "w") as file:  # noqa: PTH123 one line, no path arithmetic
        json.dump({"tool_calls": executed, "failed": failed, "answer": answer}, file)


def tracer_provider() -> Any:
    """An OpenTelemetry provider that exports as the standard variables say, for libraries that bring none."""
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    return provider
