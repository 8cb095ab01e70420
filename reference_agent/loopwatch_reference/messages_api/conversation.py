"""A request's messages, read: who asked what, which tools were called, what came back."""

import json
from typing import Any, NamedTuple


class ToolExchange(NamedTuple):
    """One tool call of the conversation with its result."""

    tool: str
    arguments: dict[str, Any]
    result: str
    is_error: bool

    def data(self) -> Any:
        """The result as JSON, or None when it is not."""
        try:
            return json.loads(self.result)
        except ValueError:
            return None


class Conversation(NamedTuple):
    """What a model sees of a request.

    Attributes:
        model: the model asked.
        system: the system prompt's text.
        question: the text of the first user message.
        tools: names of the tools offered.
        exchanges: the tool calls so far, in order.
    """

    model: str
    system: str
    question: str
    tools: tuple[str, ...]
    exchanges: tuple[ToolExchange, ...]

    def times_called(self, tool: str, arguments: dict[str, Any]) -> int:
        """Counts how often this very call was made."""
        return sum(1 for one in self.exchanges if one.tool == tool and one.arguments == arguments)


def read_conversation(request: dict[str, Any]) -> Conversation:
    """Reads a validated request.

    Args:
        request: the body of the request.
    """
    messages = request["messages"]
    return Conversation(
        model=request["model"],
        system=text_of(request.get("system") or ""),
        question=text_of(messages[0]["content"]),
        tools=tuple(tool["name"] for tool in request.get("tools") or []),
        exchanges=_exchanges(messages),
    )


def _exchanges(messages: list[dict[str, Any]]) -> tuple[ToolExchange, ...]:
    blocks = [block for message in messages if isinstance(message["content"], list) for block in message["content"]]
    results = {block["tool_use_id"]: block for block in blocks if block["type"] == "tool_result"}
    return tuple(
        ToolExchange(
            block["name"],
            block["input"],
            text_of(results[block["id"]].get("content") or ""),
            bool(results[block["id"]].get("is_error")),
        )
        for block in blocks
        if block["type"] == "tool_use"
    )


def text_of(content: Any) -> str:
    """Joins the text blocks of a message's, a result's or the system prompt's content."""
    if isinstance(content, str):
        return content
    return "\n".join(block["text"] for block in content if block.get("type") == "text")
