"""The Anthropic client's own spans, in every way it is called: one per call, inside the run, counted once."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anthropic
import pytest

import loopwatch
from tests.sdk_messages_api import TEXT, running_messages_api
from tests.sdk_sink import SentSpan, Sink, running_sink

ASK: dict[str, Any] = {
    "model": "claude-haiku-4-5",
    "max_tokens": 99,
    "messages": [{"role": "user", "content": "what is wrong"}],
}


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[Sink]:
    """A configured process and where its spans go."""
    with running_sink() as sink:
        loopwatch.configure(service_name="t", endpoint=sink.url, spool_dir=tmp_path, capture=True)
        yield sink
        loopwatch.shutdown()


@pytest.fixture
def api() -> Iterator[str]:
    """The Messages API's base URL."""
    with running_messages_api() as url:
        yield url


def create(client: Any) -> str:
    """The plain call."""
    return client.messages.create(**ASK).content[0].text


def create_stream(client: Any) -> str:
    """A raw stream of events."""
    return "".join(
        event.delta.text for event in client.messages.create(**ASK, stream=True) if event.type == "content_block_delta"
    )


def stream_helper(client: Any) -> str:
    """The streaming helper."""
    with client.messages.stream(**ASK) as stream:
        return "".join(stream.text_stream)


def beta_create(client: Any) -> str:
    """The beta resource."""
    return client.beta.messages.create(**ASK).content[0].text


async def async_create(client: Any) -> str:
    """The async client."""
    async with client:
        return (await client.messages.create(**ASK)).content[0].text


async def async_stream(client: Any) -> str:
    """The async streaming helper."""
    async with client, client.messages.stream(**ASK) as stream:
        return "".join([text async for text in stream.text_stream])


@pytest.mark.parametrize(
    "call",
    [create, create_stream, stream_helper, beta_create, async_create, async_stream],
    ids=lambda call: call.__name__,
)
@pytest.mark.parametrize("wrapped", [True, False], ids=["loopwatch.anthropic", "as it is"])
def test_call_is_one_span_of_the_run_and_is_counted(sink: Sink, api: str, call: Any, wrapped: bool) -> None:
    """Sync, async, streamed or beta, wrapped or not: one model call with its tokens, inside the iteration."""
    is_async = asyncio.iscoroutinefunction(call)
    plain: Any = (anthropic.AsyncAnthropic if is_async else anthropic.Anthropic)(base_url=api, api_key="k")
    client = loopwatch.anthropic(plain) if wrapped else plain

    @loopwatch.agent(name="asker")
    def agent() -> int:
        for _ in loopwatch.iterations(1):
            assert (asyncio.run(call(client)) if is_async else call(client)) == TEXT
        run = loopwatch.current_run()
        assert run is not None
        return run.tokens

    assert agent() == 12 + 5 + 30
    if not is_async:
        plain.close()
    spans = sink.wait_for(3)
    assert len(spans) == 3
    calls = [span for span in spans if span.attributes.get("gen_ai.operation.name") == "chat"]
    assert len(calls) == 1
    assert calls[0].parent_id == named(spans, "iteration 1").span_id
    assert calls[0].attributes["gen_ai.agent.name"] == "asker"
    assert calls[0].attributes["gen_ai.usage.output_tokens"] == 30
    assert ("loopwatch.input.bytes" in calls[0].attributes) == wrapped


def named(spans: list[SentSpan], name: str) -> SentSpan:
    """The only span of a name."""
    (found,) = (span for span in spans if span.name == name)
    return found


def test_tool_runner_nests_our_tools_in_its_own_spans(sink: Sink, api: str) -> None:
    """The tool runner's model calls and tool spans are inside the run, our tool call inside its tool span."""

    @loopwatch.tool
    def adding(a: int, b: int) -> int:
        return a + b

    @anthropic.beta_tool
    def add(a: int, b: int) -> str:
        """Adds two numbers.

        Args:
            a: the first.
            b: the second.
        """
        return str(adding(a, b))

    plain = anthropic.Anthropic(base_url=api, api_key="k")
    client = loopwatch.anthropic(plain)

    @loopwatch.agent(name="adder")
    def agent() -> str:
        runner = client.beta.messages.tool_runner(**ASK, tools=[add])
        return runner.until_done().content[0].text  # type: ignore[union-attr]  # the test's API answers with text

    with plain:
        assert agent() == TEXT
    assert loopwatch.flush(20)
    spans = sink.spans
    ours, theirs = named(spans, "execute_tool adding"), named(spans, "anthropic.custom_tool_use add")
    assert ours.parent_id == theirs.span_id
    run_ids = {span.attributes["loopwatch.run.id"] for span in spans}
    assert len(run_ids) == 1
    calls = [span for span in spans if span.attributes.get("gen_ai.operation.name") == "chat"]
    assert [call.attributes.get("loopwatch.tools.offered") for call in calls] == [["add"], None]  # offered once


def test_client_without_spans_of_its_own_is_wrapped(sink: Sink, api: str) -> None:
    """A client whose telemetry is off, or older than it, gets a model call from loopwatch.anthropic."""
    plain = anthropic.Anthropic(base_url=api, api_key="k", open_telemetry=False)
    client = loopwatch.anthropic(plain)

    @loopwatch.agent(name="asker")
    def agent() -> int:
        assert create(client) == TEXT
        run = loopwatch.current_run()
        assert run is not None
        return run.tokens

    with plain:
        assert agent() == 12 + 5 + 30
    call = named(sink.wait_for(2), "chat claude-haiku-4-5")
    assert call.attributes["gen_ai.provider.name"] == "anthropic"
    assert call.attributes["gen_ai.usage.input_tokens"] == 17
    assert call.attributes["gen_ai.usage.cache_read.input_tokens"] == 5
    assert call.attributes["gen_ai.response.id"] == "msg_1"
    assert call.attributes["gen_ai.response.finish_reasons"] == ["end_turn"]
    assert call.attributes["loopwatch.input.bytes"] > 50
    assert TEXT in call.attributes["gen_ai.output.messages"]


def test_token_limit_stops_before_the_next_call(sink: Sink, api: str) -> None:
    """The client's middleware refuses the call that would go on beyond the cap; the API is not asked."""
    plain = anthropic.Anthropic(base_url=api, api_key="k")
    client = loopwatch.anthropic(plain)

    @loopwatch.agent(limits=loopwatch.Limits(tokens=50))
    def agent() -> None:
        for _ in range(10):
            create(client)

    with plain, pytest.raises(loopwatch.LimitExceeded, match="tokens: 94 of 50"):
        agent()
