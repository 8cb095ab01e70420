"""Captured content as a reader sees it: messages with a role and parts, whatever shape they were sent in."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of a message.

    Attributes:
        kind: "text", "reasoning", "tool_call", "tool_result" or "data".
        text: what it says; empty for data.
        name: the tool it calls or answers for.
        data: a structure to fold: arguments, a result, or a part of unknown form.
    """

    kind: str
    text: str = ""
    name: str = ""
    data: Any = None


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation."""

    role: str
    parts: tuple[Part, ...]


def read(body: str, role: str) -> list[Message]:
    """Reads one captured body.

    Args:
        body: JSON of a message, of a list of messages, of bare parts, or plain text.
        role: the role of what has none: that of the attribute it came from.

    Returns:
        The messages in order; never fails, for traces hold anything.
    """
    value = decoded(body)
    items = value if isinstance(value, list) else [value]
    if items and not any(_is_message(item) for item in items):
        return [Message(role, tuple(part for item in items for part in _parts(item)))]
    return [_message(item, role) for item in items]


def decoded(body: str) -> Any:
    """A captured body as JSON where it is JSON, else as the text it is."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body


def _is_message(item: Any) -> bool:
    return isinstance(item, Mapping) and ("role" in item or "parts" in item)


def _message(item: Any, role: str) -> Message:
    if not _is_message(item):
        return Message(role, tuple(_parts(item)))
    said = item.get("parts", item.get("content", ()))
    parts = [*_parts(said), *_chat_tool_calls(item.get("tool_calls"))]
    return Message(str(item.get("role") or role), tuple(parts))


def _parts(value: Any) -> list[Part]:
    if value is None or value == "":
        return []
    if isinstance(value, str):
        return [Part("text", value)]
    if isinstance(value, Sequence):
        return [part for item in value for part in _parts(item)]
    if isinstance(value, Mapping):
        return [_part(value)]
    return [Part("data", data=value)]


def _part(value: Mapping[str, Any]) -> Part:
    kind = str(value.get("type", ""))
    text = value.get("content", value.get("text"))
    if kind in {"text", ""} and isinstance(text, str):
        return Part("text", text)
    if kind in {"reasoning", "thinking"}:
        said = text if isinstance(text, str) else value.get("thinking")
        return Part("reasoning", said if isinstance(said, str) else "")
    if kind in {"tool_call", "tool_use", "server_tool_call"}:
        return Part("tool_call", name=str(value.get("name", "")), data=value.get("arguments", value.get("input")))
    if kind in {"tool_call_response", "tool_result", "server_tool_call_response"}:
        result = next((value[key] for key in ("response", "result", "content") if key in value), None)
        return Part("tool_result", name=str(value.get("name", "")), data=result)
    return Part("data", data=dict(value))


def _chat_tool_calls(calls: Any) -> list[Part]:
    """The tool calls of a message in the form of OpenAI's chat completions."""
    if not isinstance(calls, list):
        return []
    found: list[Part] = []
    for call in calls:
        function = call.get("function") if isinstance(call, Mapping) else None
        if isinstance(function, Mapping):
            arguments = function.get("arguments")
            data = decoded(arguments) if isinstance(arguments, str) else arguments
            found.append(Part("tool_call", name=str(function.get("name", "")), data=data))
    return found
