"""Pydantic AI: an agent with its own loop, then the same question streamed."""

import asyncio
import functools

import incident
from pydantic_ai import Agent, InstrumentationSettings, ModelRetry
from pydantic_ai.capabilities import Instrumentation
from pydantic_ai.models.anthropic import AnthropicModel, AnthropicModelSettings

provider = incident.tracer_provider()


def _retried(function):
    @functools.wraps(function)
    def called(**arguments):
        try:
            return function(**arguments)
        except incident.BackendTimedOut as fault:
            raise ModelRetry(str(fault)) from fault

    return called


agent = Agent(
    AnthropicModel(incident.MODEL),
    name=incident.AGENT,
    instructions=incident.SYSTEM,
    tools=[_retried(tool) for tool in incident.TOOLS],
    model_settings=AnthropicModelSettings(max_tokens=incident.MAX_TOKENS, anthropic_cache_instructions=True),
    capabilities=[Instrumentation(settings=InstrumentationSettings())],
)


async def main() -> str:
    """One run whole; one streamed run, in the same trace."""
    with provider.get_tracer("shop").start_as_current_span("POST /alerts"):
        whole = await agent.run(incident.QUESTION, conversation_id=incident.CONVERSATION_ID)
        async with agent.run_stream("Say hello.", message_history=whole.all_messages()) as streamed:
            await streamed.get_output()
    return whole.output


answer = asyncio.run(main())
provider.shutdown()
incident.report(answer)
