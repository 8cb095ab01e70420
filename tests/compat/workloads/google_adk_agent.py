"""Google ADK: an agent with its own loop over its Claude model, and its own telemetry."""

import asyncio
import functools

import incident
from google.adk.agents import LlmAgent
from google.adk.models.anthropic_llm import AnthropicLlm
from google.adk.runners import InMemoryRunner
from google.genai import types

provider = incident.tracer_provider()


def _answered(function):
    @functools.wraps(function)
    def called(**arguments):
        try:
            return {"result": function(**arguments)}
        except incident.BackendTimedOut as fault:
            return {"error": str(fault)}

    return called


agent = LlmAgent(
    name=incident.AGENT.replace("-", "_"),
    model=AnthropicLlm(model=incident.MODEL, max_tokens=incident.MAX_TOKENS),
    instruction=lambda _: incident.SYSTEM,
    tools=[_answered(tool) for tool in incident.TOOLS],
)


async def main() -> str:
    """One run."""
    runner = InMemoryRunner(agent=agent, app_name="shop")
    await runner.session_service.create_session(
        app_name="shop", user_id=incident.USER_ID, session_id=incident.CONVERSATION_ID
    )
    question = types.Content(role="user", parts=[types.Part(text=incident.QUESTION)])
    answer = ""
    async for event in runner.run_async(
        user_id=incident.USER_ID, session_id=incident.CONVERSATION_ID, new_message=question
    ):
        if event.content and event.content.parts and event.content.parts[0].text:
            answer = event.content.parts[0].text
    return answer


answer = asyncio.run(main())
provider.shutdown()
incident.report(answer)
