"""Tools, a model call and an endless agent that the SDK's tests share."""

import asyncio
from typing import Any

import loopwatch


@loopwatch.tool(not_found=[None])
def search(query: str, minutes: int = 30) -> str | None:
    """Finds things."""
    return None if query == "nothing" else f"found {query}"


@loopwatch.tool
async def fetch(url: str) -> str:
    """Fetches things."""
    await asyncio.sleep(0)
    return url


def call_model(tokens: int = 100, model: str = "claude-haiku-4-5", response_id: str = "") -> None:
    """One model call."""
    with loopwatch.model_call(model, provider="anthropic") as call:
        call.record(input_tokens=tokens, output_tokens=0, response_id=response_id or None)


def endless(limits: loopwatch.Limits, work: Any) -> Any:
    """An agent that goes on until something stops it, and gives up after a while."""

    @loopwatch.agent(limits=limits)
    def agent() -> None:
        for iteration in loopwatch.iterations(100):
            work(iteration.number)

    return agent


WORK = """
@loopwatch.tool
def look(number):
    return number

@loopwatch.agent
def work(calls):
    for number in range(calls):
        look(number)
    return str(os.getpid())
"""
"""The agent of programs that tests run in a process of their own: as many tool calls as it is told, then its pid."""
