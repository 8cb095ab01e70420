"""Genkit: a flow around its own loop over its Anthropic plugin, and its own telemetry."""

import asyncio
import inspect
import json
import os

import incident

provider = incident.tracer_provider()
from genkit import Genkit  # noqa: E402 it takes the tracer provider it finds
from genkit_anthropic import Anthropic  # noqa: E402 the same

ai = Genkit(plugins=[Anthropic(base_url=os.environ["ANTHROPIC_BASE_URL"])])


def _as_tool(function):
    async def called(arguments: dict) -> str:
        try:
            return function(**(arguments or {}))
        except incident.BackendTimedOut as fault:  # Genkit ends the whole flow when a tool raises
            return json.dumps({"error": str(fault)})

    called.__name__ = function.__name__
    called.__doc__ = inspect.getdoc(function)
    return ai.tool(name=function.__name__)(called)


tools = [_as_tool(tool) for tool in incident.TOOLS]


@ai.flow(name=incident.AGENT)
async def resolve_incident(question: str) -> str:
    """The agent."""
    answer = await ai.generate(
        model=Anthropic.claude_model(incident.MODEL),
        system=incident.SYSTEM,
        prompt=question,
        tools=tools,
        config={"maxOutputTokens": incident.MAX_TOKENS},
    )
    return answer.text


answer = asyncio.run(resolve_incident(incident.QUESTION))
provider.shutdown()
incident.report(str(getattr(answer, "response", answer)))
