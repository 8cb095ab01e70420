"""Captured content of every shape, read as messages."""

import json

from hypothesis import given
from hypothesis import strategies as st

from loopwatch_dashboards.messages import Message, Part, read


def test_messages_of_the_conventions() -> None:
    """Roles and parts as the OpenTelemetry conventions write them."""
    body = json.dumps(
        [
            {"role": "user", "parts": [{"type": "text", "content": "Hi"}]},
            {
                "role": "assistant",
                "parts": [
                    {"type": "reasoning", "content": "hm"},
                    {"type": "tool_call", "id": "1", "name": "search", "arguments": {"q": "x"}},
                ],
            },
            {"role": "tool", "parts": [{"type": "tool_call_response", "id": "1", "response": [1]}]},
        ]
    )
    assert read(body, "user") == [
        Message("user", (Part("text", "Hi"),)),
        Message("assistant", (Part("reasoning", "hm"), Part("tool_call", name="search", data={"q": "x"}))),
        Message("tool", (Part("tool_result", data=[1]),)),
    ]


def test_chat_completions_message() -> None:
    """OpenAI's form: content as a string, tool calls beside it with arguments as JSON text."""
    body = json.dumps(
        {
            "role": "assistant",
            "content": "Let me look",
            "tool_calls": [{"function": {"name": "look", "arguments": '{"a": 1}'}}],
        }
    )
    assert read(body, "assistant") == [
        Message("assistant", (Part("text", "Let me look"), Part("tool_call", name="look", data={"a": 1})))
    ]


def test_anthropic_blocks() -> None:
    """Anthropic's form: blocks of text, thinking, tool use and tool result."""
    body = json.dumps(
        [
            {"type": "thinking", "thinking": "so"},
            {"type": "text", "text": "I look"},
            {"type": "tool_use", "name": "look", "input": {}},
        ]
    )
    assert read(body, "assistant") == [
        Message("assistant", (Part("reasoning", "so"), Part("text", "I look"), Part("tool_call", name="look", data={})))
    ]


def test_plain_text_is_one_message_of_the_given_role() -> None:
    """Text that is no JSON is what was said."""
    assert read("just words", "system") == [Message("system", (Part("text", "just words"),))]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["role", "parts", "content", "type", "text", "tool_calls", "function", "name", "arguments"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(json_values | st.text())
def test_any_body_can_be_read(value: object) -> None:
    """Traces hold anything: whatever a body is, it is read without a fault."""
    for body in (json.dumps(value), str(value)):
        assert all(isinstance(said, Message) for said in read(body, "user"))
