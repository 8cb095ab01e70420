"""What leaves the process with capture off, on, and in between: every byte sent is looked at."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anthropic
import pytest
from opentelemetry import trace

import loopwatch
from tests.sdk_messages_api import running_messages_api
from tests.sdk_sink import Sink, running_sink

QUESTION = "why-is-the-zebra-database-slow"
SECRETS = {
    "question": QUESTION,
    "system": "you-are-the-walrus-resolver",
    "answer": "restart-the-giraffe-service",
    "argument": "select-ostrich-from-logs",
    "result": "lemming-rows-were-found",
    "error": "pelican-table-is-missing",
    "other": "panther-in-another-library",
}


@pytest.fixture
def messages_api() -> Iterator[str]:
    """A Messages API that answers with a secret, and asks for a tool."""
    content = [
        {"type": "text", "text": SECRETS["answer"]},
        {"type": "tool_use", "id": "toolu_1", "name": "search", "input": {"query": SECRETS["argument"]}},
    ]
    with running_messages_api(content, "tool_use") as url:
        yield url


@loopwatch.tool
def search(query: str) -> dict[str, str]:
    """Finds and says so."""
    return {"found": SECRETS["result"]}


@loopwatch.tool
def fails(query: str) -> None:
    """Fails with a message that quotes."""
    raise LookupError(f"{SECRETS['error']}: {query}")


def resolve(question: str, client: anthropic.Anthropic) -> str:
    """A whole run: the Anthropic client's span, tools, an error, another library's spans, events and links."""
    for _ in loopwatch.iterations(1):
        client.messages.create(
            model="claude-haiku-4-5",
            max_tokens=99,
            system=SECRETS["system"],
            messages=[{"role": "user", "content": question}],
            tools=[{"name": "search", "description": "finds", "input_schema": {"type": "object"}}],
        )
        search(SECRETS["argument"])
        with contextlib.suppress(LookupError):
            fails(SECRETS["argument"])
        with trace.get_tracer("another.library").start_as_current_span("SELECT") as span:
            span.set_attributes(
                {
                    "db.query.text": SECRETS["other"],
                    "url.full": f"http://x/{SECRETS['other']}",
                    "langfuse.observation.input": SECRETS["other"],
                    "input.value": SECRETS["other"],
                    "gen_ai.prompt.0.content": SECRETS["other"],
                    "my.own.note": [SECRETS["other"]],
                    "my.own.count": 3,
                    "db.system.name": "postgresql",
                }
            )
            span.add_event("said", {"text": SECRETS["other"]})
            span.record_exception(ValueError(SECRETS["other"]))
            span.set_status(trace.StatusCode.ERROR, SECRETS["other"])
        trace.get_current_span().set_attribute("framework.input", SECRETS["other"])
    return SECRETS["answer"]


def sent(sink: Sink, tmp_path: Path, api: str, **settings: Any) -> Sink:
    """Makes the run in a configured process and waits until everything came."""
    loopwatch.configure(service_name="t", endpoint=sink.url, spool_dir=tmp_path, **settings)
    try:
        with anthropic.Anthropic(base_url=api, api_key="k") as client:
            loopwatch.agent(name="resolver")(resolve)(QUESTION, loopwatch.anthropic(client))
        assert loopwatch.flush(20)
        sink.wait_for(6)
    finally:
        loopwatch.shutdown()
    return sink


@pytest.mark.parametrize("content_mode", ["", "content"])
def test_capture_off_sends_no_input_string(
    messages_api: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content_mode: str
) -> None:
    """No question, instruction, answer, argument, result or message occurs in any byte, whoever made the span."""
    monkeypatch.setenv("ANTHROPIC_OPEN_TELEMETRY_TRACES_CONTENT_MODE", content_mode)
    with running_sink() as sink:
        sent(sink, tmp_path, messages_api)
        everything = b"".join(sink.bodies)
        assert [name for name, secret in SECRETS.items() if secret.encode() in everything] == []
        assert {span.name for span in sink.spans} >= {"anthropic.messages.create", "SELECT", "execute_tool search"}
        other = next(span for span in sink.spans if span.name == "SELECT")
        assert other.attributes["my.own.count"] == 3
        assert other.attributes["db.system.name"] == "postgresql"
        failed = next(span for span in sink.spans if span.name == "execute_tool fails")
        assert failed.attributes["error.type"] == "LookupError"


def test_capture_on_sends_content_of_every_kind(
    messages_api: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With capture on everything is there, the Anthropic client's messages included."""
    monkeypatch.delenv("ANTHROPIC_OPEN_TELEMETRY_TRACES_CONTENT_MODE", raising=False)
    with running_sink() as sink:
        sent(sink, tmp_path, messages_api, capture=True)
        everything = b"".join(sink.bodies)
        assert [name for name, secret in SECRETS.items() if secret.encode() not in everything] == []


@pytest.mark.parametrize(
    ("capture", "there"),
    [
        (["tool_calls"], {"argument", "result"}),
        (["errors"], {"error", "argument", "other"}),
        (["output"], {"answer", "argument"}),
    ],
)
def test_capture_of_some_kinds_sends_those_only(
    messages_api: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capture: list[str], there: set[str]
) -> None:
    """Each kind is a switch of its own; an error's message and a model's answer may quote an argument."""
    monkeypatch.setenv("ANTHROPIC_OPEN_TELEMETRY_TRACES_CONTENT_MODE", "content")
    with running_sink() as sink:
        sent(sink, tmp_path, messages_api, capture=capture)
        everything = b"".join(sink.bodies)
        assert {name for name, secret in SECRETS.items() if secret.encode() in everything} == there


def test_anthropic_span_says_what_was_offered_and_how_large_it_was(messages_api: str, tmp_path: Path) -> None:
    """The client's own span gets tool names, the size of their schemas and of the request; it is one span, not two."""
    with running_sink() as sink:
        sent(sink, tmp_path, messages_api)
        calls = [span for span in sink.spans if span.attributes.get("gen_ai.operation.name") == "chat"]
        assert [call.name for call in calls] == ["anthropic.messages.create"]
        attributes = calls[0].attributes
        assert attributes["loopwatch.tools.offered"] == ["search"]
        assert attributes["loopwatch.tools.schema_bytes"] > 50
        assert attributes["loopwatch.input.bytes"] > 200
        assert attributes["anthropic.message.stop_reason"] == "tool_use"
        assert attributes["gen_ai.usage.cache_read.input_tokens"] == 5
        assert attributes["loopwatch.iteration"] == 1
        assert "gen_ai.tool.definitions" not in attributes
