"""Claude Agent SDK: the Claude Code program it brings along, with its own telemetry."""

import asyncio
import os

import incident
from claude_agent_sdk import AssistantMessage, ClaudeAgentOptions, TextBlock, create_sdk_mcp_server, query, tool

_SCHEMAS = {
    "search_logs": {"query": str, "minutes": int},
    "get_metrics": {"service": str, "metric": str},
    "list_recent_deployments": {},
    "create_incident_ticket": {"title": str, "severity": str},
}


def _as_tool(function):
    @tool(function.__name__, function.__doc__, _SCHEMAS[function.__name__])
    async def called(arguments):
        try:
            return {"content": [{"type": "text", "text": function(**arguments)}]}
        except incident.BackendTimedOut as fault:
            return {"content": [{"type": "text", "text": str(fault)}], "is_error": True}

    return called


options = ClaudeAgentOptions(
    model=incident.MODEL,
    system_prompt=incident.SYSTEM,
    mcp_servers={"shop": create_sdk_mcp_server("shop", tools=[_as_tool(one) for one in incident.TOOLS])},
    allowed_tools=[f"mcp__shop__{one.__name__}" for one in incident.TOOLS],
    tools=[],
    setting_sources=[],
    max_turns=8,
    env={
        "HOME": os.getcwd(),  # noqa: PTH109 it writes its state there
        "CLAUDE_CODE_ENABLE_TELEMETRY": "1",
        "CLAUDE_CODE_ENHANCED_TELEMETRY_BETA": "1",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "OTEL_TRACES_EXPORTER": "otlp",
        "OTEL_LOGS_EXPORTER": "otlp",
        "OTEL_METRICS_EXPORTER": "otlp",
        "OTEL_LOG_TOOL_DETAILS": "1",
        "OTEL_LOG_USER_PROMPTS": "1",
        "OTEL_BSP_SCHEDULE_DELAY": "200",
    },
)


async def main() -> str:
    """One question."""
    answer = ""
    async for message in query(prompt=incident.QUESTION, options=options):
        if isinstance(message, AssistantMessage):
            answer = "".join(block.text for block in message.content if isinstance(block, TextBlock)) or answer
    return answer


incident.report(asyncio.run(main()))
