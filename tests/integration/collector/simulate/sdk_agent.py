"""An agent on the real SDK and the real Anthropic client: `python sdk_agent.py ENDPOINT on|off`, content on or off."""

import contextlib
import sys
from typing import Any

import anthropic
import httpx2

import loopwatch

USAGE = {
    "input_tokens": 10,
    "output_tokens": 5,
    "cache_read_input_tokens": 3,
    "cache_creation_input_tokens": 4,
    "cache_creation": {"ephemeral_5m_input_tokens": 4, "ephemeral_1h_input_tokens": 0},
    "service_tier": "standard",
}
TOOLS: list[Any] = [{"name": "get_order", "description": "Reads one order.", "input_schema": {"type": "object"}}]


def _answer(request: httpx2.Request) -> httpx2.Response:
    message = {
        "id": "msg_01",
        "type": "message",
        "role": "assistant",
        "model": "claude-haiku-5-5",
        "content": [{"type": "text", "text": "looking"}],
        "stop_reason": "tool_use",
        "stop_sequence": None,
        "usage": USAGE,
    }
    return httpx2.Response(200, json=message, headers={"request-id": "req_01"})


@loopwatch.tool(not_found=[[]])
def get_order(number: int) -> list[str]:
    if number == 0:
        raise TimeoutError("no answer after 10 s")
    return [] if number == 1 else ["one line"]


@loopwatch.agent(
    name="support-triage",
    version="31",
    tags=["simulated", "production"],
    prompt_name="support-triage",
    prompt_version="v31",
    environment="production",
    conversation_id="conv-1",
    customer_id="customer-001",
    user_id="user-1",
    limits=loopwatch.Limits(iterations=15, identical_calls=5),
)
def support(client: anthropic.Anthropic) -> str:
    for iteration in loopwatch.iterations(at_most=3):
        client.messages.create(
            model="claude-haiku-5-5",
            max_tokens=2048,
            system="be brief",
            tools=TOOLS,
            messages=[{"role": "user", "content": "where is it?"}],
        )
        with loopwatch.tool_call_id("toolu_01"), contextlib.suppress(TimeoutError):
            get_order(iteration.number - 1)
        with loopwatch.step("execute"):
            pass
        with loopwatch.step("plan"), loopwatch.model_call("gpt-5-mini", provider="openai") as call:
            call.record(
                input_tokens=10, output_tokens=5, cache_read_tokens=2, response_id="r1", response_model="gpt-5-mini",
                stop_reason="stop",
            )  # fmt: skip
        loopwatch.decide("resolution", "answered", confidence=0.9, reasoning="it is there")
    loopwatch.escalate("the customer asks for a person", priority="high")
    return "done"


if __name__ == "__main__":
    loopwatch.configure(service_name="support", service_version="31", endpoint=sys.argv[1], capture=sys.argv[2] == "on")
    transport = httpx2.MockTransport(_answer)
    support(loopwatch.anthropic(anthropic.Anthropic(api_key="x", http_client=httpx2.Client(transport=transport))))
    loopwatch.shutdown()
