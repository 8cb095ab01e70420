"""The simulated Messages API over real HTTP, asked by the real Anthropic client."""

import json
import urllib.error
import urllib.request

import anthropic
import pytest

from loopwatch_reference.messages_api.server import serving
from loopwatch_reference.messages_api.service import FAULT_HEADER, ServiceSettings

TOOL = {"name": "search_logs", "description": "Searches.", "input_schema": {"type": "object", "properties": {}}}
SYSTEM = "- checkout-api calls orders-db\n- orders-db\n" + "Background. " * 600


@pytest.fixture
def base_url():
    with serving(ServiceSettings(seed=1)) as url:
        yield url


@pytest.fixture
def client(base_url):
    with anthropic.Anthropic(base_url=base_url, api_key="test", max_retries=0) as client:
        yield client


def ask(client, **changes):
    request = {
        "model": "claude-sonnet-5-5",
        "max_tokens": 500,
        "system": [{"type": "text", "text": SYSTEM, "cache_control": {"type": "ephemeral"}}],
        "tools": [TOOL],
        "messages": [{"role": "user", "content": "checkout-api: error rate 9%"}],
    }
    return client.messages.create(**{**request, **changes})


def test_the_client_reads_a_tool_call_and_its_usage(client):
    """A plain request gives a message the client parses, with a tool call, a stop reason and a request id."""
    message = ask(client)
    assert message.stop_reason == "tool_use"
    assert message.content[-1].name == "search_logs"
    assert message.usage.cache_creation_input_tokens > 1024
    assert message._request_id.startswith("req_01")


def test_a_stream_ends_in_the_same_message_as_a_plain_answer(client):
    """Streaming changes the way, not the answer: text, tool calls and usage are the same."""
    plain = ask(client)
    with client.messages.stream(
        model="claude-sonnet-5-5",
        max_tokens=500,
        system=[{"type": "text", "text": SYSTEM, "cache_control": {"type": "ephemeral"}}],
        tools=[TOOL],
        messages=[{"role": "user", "content": "checkout-api: error rate 9%"}],
    ) as stream:
        streamed = stream.get_final_message()
    assert streamed.content[0].text == plain.content[0].text
    assert streamed.content[-1].input == plain.content[-1].input
    assert streamed.usage.output_tokens == plain.usage.output_tokens
    assert streamed.usage.cache_read_input_tokens == plain.usage.cache_creation_input_tokens


def test_thinking_is_shown_and_counted_when_asked_for(client):
    """With adaptive thinking the answer begins with a thinking block, and its tokens are part of the output's."""
    message = ask(client, thinking={"type": "adaptive"})
    assert message.content[0].type == "thinking"
    assert 0 < message.usage.output_tokens_details.thinking_tokens < message.usage.output_tokens


def test_max_tokens_cuts_the_answer(client):
    """An answer longer than max_tokens is cut, says so, and asks for no tool."""
    message = ask(client, max_tokens=5)
    assert message.stop_reason == "max_tokens"
    assert message.usage.output_tokens <= 5
    assert [block.type for block in message.content] == ["text"]


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"extra_headers": {FAULT_HEADER: "overloaded"}}, anthropic.OverloadedError, "Overloaded"),
        ({"extra_headers": {FAULT_HEADER: "rate_limited"}}, anthropic.RateLimitError, "rate limit of 50 requests"),
        ({"model": "claude-never-1"}, anthropic.NotFoundError, "model: claude-never-1"),
        ({"messages": []}, anthropic.BadRequestError, "at least one message is required"),
        ({"messages": [{"role": "user", "content": "x" * 800_000}]}, anthropic.BadRequestError, "prompt is too long"),
    ],
)
def test_refusals_arrive_as_the_clients_own_errors(client, changes, error, words):
    """Each refusal is the exception the client raises for the real API's, with the message and a request id."""
    with pytest.raises(error, match=words) as refusal:
        ask(client, **changes)
    assert refusal.value.body["request_id"] == refusal.value.response.headers["request-id"]
    if error is anthropic.RateLimitError:
        assert refusal.value.response.headers["retry-after"] == "1"


def test_the_client_retries_what_may_pass():
    """A 529 that passes is invisible: the client tries again and gets its answer."""
    with (
        serving(ServiceSettings(seed=2, overloaded_share=0.4)) as url,
        anthropic.Anthropic(base_url=url, api_key="test", max_retries=8) as client,
    ):
        retried = [
            client.messages.with_raw_response.create(
                model="claude-haiku-4-5", max_tokens=9, messages=[{"role": "user", "content": "hi"}]
            ).retries_taken
            for _ in range(4)
        ]
    assert sum(retried) > 0


def test_tokens_can_be_counted(client):
    """count_tokens gives what a request with the same prompt is then charged for."""
    messages = [{"role": "user", "content": "How long is this?"}]
    counted = client.messages.count_tokens(model="claude-haiku-4-5", messages=messages)
    message = client.messages.create(model="claude-haiku-4-5", max_tokens=9, messages=messages)
    assert counted.input_tokens == message.usage.input_tokens


@pytest.mark.parametrize(
    ("path", "headers", "body", "status"),
    [
        ("/v1/messages", {"x-api-key": "k", "anthropic-version": "2023-06-01"}, b"{", 400),
        ("/v1/messages", {"x-api-key": "k"}, b"{}", 400),
        ("/v1/messages", {"anthropic-version": "2023-06-01"}, b"{}", 401),
        ("/v1/nothing", {"x-api-key": "k", "anthropic-version": "2023-06-01"}, b"{}", 404),
    ],
)
def test_requests_without_the_basics_are_refused(base_url, path, headers, body, status):
    """Broken JSON, a missing version, a missing key and an unknown path have their own status and an error body."""
    request = urllib.request.Request(base_url + path, data=body, headers=headers)
    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(request)
    with refusal.value as answer:
        assert answer.status == status
        assert json.loads(answer.read())["type"] == "error"
