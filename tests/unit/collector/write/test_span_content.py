"""The content of spans of other libraries, and what of a span is not kept."""

import json

from tests.unit.collector.write.one_span import row_of


def test_messages_in_span_events_become_content() -> None:
    """Messages that come as span events are the span's content, and do not stay in the events as well."""
    row = row_of(
        {"gen_ai.operation.name": "chat"},
        scope="strands.telemetry.tracer",
        events=[
            ("gen_ai.user.message", {"content": "hi"}),
            ("gen_ai.choice", {"message": "hello", "finish_reason": "end_turn"}),
            ("gen_ai.client.inference.operation.details", {"gen_ai.system_instructions": "be kind"}),
        ],
    )
    assert row["contents"]["system"] == ["be kind"]
    assert json.loads(row["contents"]["input"][0]) == {"role": "user", "content": "hi"}
    assert json.loads(row["contents"]["output"][0]) == {"role": "assistant", "content": "hello"}
    assert row["stop_reason"] == "end_turn"
    assert row["event_attributes"] == [{}, {}, {}]


def test_flat_messages_are_put_together() -> None:
    """Messages spelt out over attributes become messages again, in order, tool calls included."""
    row = row_of(
        {
            "llm.request.type": "chat",
            "gen_ai.prompt.0.role": "user",
            "gen_ai.prompt.0.content": "hi",
            "gen_ai.completion.0.role": "assistant",
            "gen_ai.completion.0.tool_calls.0.name": "search",
        },
        scope="opentelemetry.instrumentation.x",
    )
    assert json.loads(row["contents"]["input"][0]) == {"role": "user", "content": "hi"}
    assert json.loads(row["contents"]["output"][0])["tool_calls"] == [{"name": "search"}]


def test_what_is_not_kept_of_a_span_is_told() -> None:
    """Attributes and events beyond the caps are counted on the span, and texts that were cut."""
    many = {f"own.{number}": "x" for number in range(511)}
    row = row_of({**many, "own.long": "x" * 50_000, "own.a": 1, "own.b": 2}, events=[("e", {})] * 300)
    told = {key: text for key, text in row["attributes"].items() if not key.startswith("own.")}
    assert told == {
        "loopwatch.dropped_attributes": "2",
        "loopwatch.dropped_events": "44",
        "loopwatch.cut_attributes": "1",
    }
    assert (len(row["event_names"]), len(row["attributes"])) == (256, 512 + 3)
    kept = row_of({"own.a": 1}, events=[("e", {})])
    assert kept["attributes"] == {"own.a": "1"}
