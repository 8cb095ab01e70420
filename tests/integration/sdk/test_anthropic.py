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


def raw_stream(client: Any) -> str:
    """A raw response, parsed into a stream."""
    events = client.messages.with_raw_response.create(**ASK, stream=True).parse()
    return "".join(event.delta.text for event in events if event.type == "content_block_delta")


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


@pytest.mark.parametrize(
    "call",
    [create, create_stream, stream_helper, beta_create, async_create, async_stream, raw_stream],
    ids=lambda call: call.__name__,
)
def test_client_without_spans_of_its_own_is_wrapped(sink: Sink, api: str, call: Any) -> None:
    """A client whose telemetry is off, or older than it, gets one model call of ours, streamed or not."""
    is_async = asyncio.iscoroutinefunction(call)
    kind: Any = anthropic.AsyncAnthropic if is_async else anthropic.Anthropic
    plain = kind(base_url=api, api_key="k", open_telemetry=False)
    client = loopwatch.anthropic(plain)

    @loopwatch.agent(name="asker")
    def agent() -> int:
        assert (asyncio.run(call(client)) if is_async else call(client)) == TEXT
        run = loopwatch.current_run()
        assert run is not None
        return run.tokens

    assert agent() == 12 + 5 + 30
    if not is_async:
        plain.close()
    assert loopwatch.flush(20)
    assert len(sink.spans) == 2
    made = named(sink.spans, "chat claude-haiku-4-5")
    assert made.parent_id == named(sink.spans, "invoke_agent asker").span_id
    assert made.attributes["gen_ai.provider.name"] == "anthropic"
    assert made.attributes["gen_ai.usage.input_tokens"] == 17
    assert made.attributes["gen_ai.usage.cache_read.input_tokens"] == 5
    assert made.attributes["gen_ai.response.id"] == "msg_1"
    assert made.attributes["gen_ai.response.finish_reasons"] == ["end_turn"]
    assert made.attributes["loopwatch.input.bytes"] > 50
    assert TEXT in made.attributes["gen_ai.output.messages"]
    assert ("gen_ai.response.time_to_first_chunk" in made.attributes) == ("stream" in call.__name__)


def test_wrapped_stream_that_is_closed_early_ends_with_what_came(sink: Sink, api: str) -> None:
    """Its model call ends when the stream is closed, and the tokens known by then count; what follows is not in it."""
    plain = anthropic.Anthropic(base_url=api, api_key="k", open_telemetry=False)
    client = loopwatch.anthropic(plain)

    @loopwatch.tool
    def look() -> None:
        pass

    with plain, loopwatch.agent(name="asker"), client.messages.create(**ASK, stream=True) as stream:
        assert next(iter(stream)).type == "message_start"
        look()
    assert loopwatch.flush(20)
    made, run = named(sink.spans, "chat claude-haiku-4-5"), named(sink.spans, "invoke_agent asker")
    assert made.attributes["gen_ai.usage.input_tokens"] == 17
    assert "gen_ai.response.finish_reasons" not in made.attributes
    assert named(sink.spans, "execute_tool look").parent_id == run.span_id


@pytest.mark.parametrize("stream", [True, False])
def test_wrapped_call_that_is_refused_is_an_error(sink: Sink, api: str, stream: bool) -> None:
    """The client raises what it raises, and the model call says which status it was."""
    plain = anthropic.Anthropic(base_url=f"{api}/nowhere", api_key="k", open_telemetry=False, max_retries=0)
    client = loopwatch.anthropic(plain)
    with plain, pytest.raises(anthropic.NotFoundError):
        client.messages.create(**ASK, stream=stream)
    assert loopwatch.flush(20)
    refused = named(sink.spans, "chat claude-haiku-4-5")
    assert (refused.attributes["error.type"], refused.status) == ("404", 2)


@pytest.mark.parametrize("call", [create, create_stream, async_stream], ids=lambda call: call.__name__)
@pytest.mark.parametrize(
    "boundary",
    [
        "loopwatch.anthropic_client._describe",
        "loopwatch.anthropic_client._answer",
        "loopwatch.anthropic_client.observed",
        "loopwatch.anthropic_client.ModelCallDecorator",
        "loopwatch.anthropic_streams.StreamedAnswer._add",
        "loopwatch.anthropic_streams.StreamedAnswer._take_inputs",
        "loopwatch.operations.Operation.set",
    ],
)
def test_fault_of_the_wrapper_does_not_reach_the_caller(
    sink: Sink, api: str, call: Any, boundary: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever breaks in what loopwatch.anthropic adds, the client answers."""
    is_async = asyncio.iscoroutinefunction(call)
    kind: Any = anthropic.AsyncAnthropic if is_async else anthropic.Anthropic
    plain = kind(base_url=api, api_key="k", open_telemetry=False)
    client = loopwatch.anthropic(plain)

    def broken(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(boundary, broken)
    assert (asyncio.run(call(client)) if is_async else call(client)) == TEXT
    if not is_async:
        plain.close()


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
