"""What the API accepts: each check raises the error the real one answers with."""

import re
from typing import Any, Final

from loopwatch_reference.messages_api.errors import InvalidRequest, NotFound

_TOOL_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_MAX_CACHE_MARKS: Final = 4
_FIELDS: Final = frozenset(
    [
        "model",
        "messages",
        "max_tokens",
        "system",
        "tools",
        "tool_choice",
        "temperature",
        "top_p",
        "top_k",
        "stop_sequences",
        "stream",
        "metadata",
        "thinking",
        "service_tier",
        "container",
        "context_management",
        "mcp_servers",
        "output_config",
        "output_format",
        "cache_control",
        "inference_geo",
        "speed",
    ]
)
_KNOWN_MODEL: Final = re.compile(r"claude-(fable|mythos|opus|sonnet|haiku|3|2)[a-z0-9.-]*")


def check_request(request: Any) -> dict[str, Any]:
    """Checks a request's body.

    Args:
        request: the decoded JSON.

    Returns:
        The same body, now known to be well formed.

    Raises:
        InvalidRequest: it breaks a rule of the protocol; the message names the place.
        NotFound: the model does not exist.
    """
    if not isinstance(request, dict):
        raise InvalidRequest("Input should be a valid dictionary")
    for name in ("model", "messages", "max_tokens"):
        if name not in request:
            raise InvalidRequest(f"{name}: Field required")
    if unknown := sorted(request.keys() - _FIELDS):
        raise InvalidRequest(f"{unknown[0]}: Extra inputs are not permitted")
    _check_parameters(request)
    _check_messages(request["messages"])
    _check_tools(request)
    _check_cache_marks(request)
    if not _KNOWN_MODEL.fullmatch(request["model"]):
        raise NotFound(f"model: {request['model']}")
    return request


def _check_parameters(request: dict[str, Any]) -> None:
    if not isinstance(request["model"], str):
        raise InvalidRequest("model: Input should be a valid string")
    max_tokens = request["max_tokens"]
    if isinstance(max_tokens, bool) or not isinstance(max_tokens, int):
        raise InvalidRequest("max_tokens: Input should be a valid integer")
    if max_tokens < 1:
        raise InvalidRequest("max_tokens: Input should be greater than or equal to 1")
    temperature = request.get("temperature", 1.0)
    if not isinstance(temperature, int | float) or not 0 <= temperature <= 1:
        raise InvalidRequest("temperature: range: 0..1")


def _check_messages(messages: Any) -> None:
    if not isinstance(messages, list):
        raise InvalidRequest("messages: Input should be a valid list")
    if not messages:
        raise InvalidRequest("messages: at least one message is required")
    for index, message in enumerate(messages):
        _check_message(index, message, last=index == len(messages) - 1)
    if messages[0]["role"] != "user":
        raise InvalidRequest('messages: first message must use the "user" role')
    _check_tool_pairs(messages)


def _check_message(index: int, message: Any, *, last: bool) -> None:
    if not isinstance(message, dict) or message.get("role") not in {"user", "assistant"}:
        role = message.get("role") if isinstance(message, dict) else message
        raise InvalidRequest(
            f'messages: Unexpected role "{role}". The Messages API accepts a top-level `system` parameter, '
            'not "system" as an input message role.'
            if role == "system"
            else f"messages.{index}.role: Input should be 'user' or 'assistant'"
        )
    content = message.get("content")
    if not isinstance(content, str | list):
        raise InvalidRequest(f"messages.{index}.content: Input should be a valid list")
    if not content and not (last and message["role"] == "assistant"):
        raise InvalidRequest(
            f"messages.{index}: all messages must have non-empty content "
            "except for the optional final assistant message"
        )
    if isinstance(content, list):
        for place, block in enumerate(content):
            _check_block(f"messages.{index}.content.{place}", message["role"], block)


def _check_block(place: str, role: str, block: Any) -> None:
    required = {
        "text": ("text",),
        "image": ("source",),
        "document": ("source",),
        "thinking": ("thinking", "signature"),
        "redacted_thinking": ("data",),
        "tool_use": ("id", "name", "input"),
        "tool_result": ("tool_use_id",),
    }
    kind = block.get("type") if isinstance(block, dict) else None
    if kind not in required:
        names = ", ".join(f"'{name}'" for name in required)
        raise InvalidRequest(
            f"{place}: Input tag '{kind}' found using 'type' does not match any of the expected tags: {names}"
        )
    for name in required[kind]:
        if name not in block:
            raise InvalidRequest(f"{place}.{kind}.{name}: Field required")
    if kind == "text" and not block["text"]:
        raise InvalidRequest(f"{place}: text content blocks must be non-empty")
    if kind == "tool_use" and role != "assistant":
        raise InvalidRequest(f"{place}: `tool_use` blocks can only be in `assistant` messages")
    if kind == "tool_result" and role != "user":
        raise InvalidRequest(f"{place}: `tool_result` blocks can only be in `user` messages")


def _check_tool_pairs(messages: list[dict[str, Any]]) -> None:
    asked: list[str] = []
    for index, message in enumerate(messages):
        answered = _ids(message, "tool_result", "tool_use_id")
        if missing := [call_id for call_id in asked if call_id not in answered]:
            raise InvalidRequest(
                f"messages.{index}: `tool_use` ids were found without `tool_result` blocks immediately after: "
                f"{', '.join(missing)}. Each `tool_use` block must have a corresponding `tool_result` block "
                "in the next message."
            )
        if unknown := [call_id for call_id in answered if call_id not in asked]:
            raise InvalidRequest(
                f"messages.{index}.content.0: unexpected `tool_use_id` found in `tool_result` blocks: {unknown[0]}. "
                "Each `tool_result` block must have a corresponding `tool_use` block in the previous message."
            )
        asked = _ids(message, "tool_use", "id")
        if len(set(asked)) != len(asked):
            raise InvalidRequest(f"messages.{index}: `tool_use` ids must be unique")
    if asked:
        raise InvalidRequest(
            f"messages.{len(messages) - 1}: `tool_use` ids were found without `tool_result` blocks immediately after: "
            f"{', '.join(asked)}. Each `tool_use` block must have a corresponding `tool_result` block "
            "in the next message."
        )


def _ids(message: dict[str, Any], kind: str, name: str) -> list[str]:
    content = message["content"]
    return [] if isinstance(content, str) else [block[name] for block in content if block["type"] == kind]


def _check_tools(request: dict[str, Any]) -> None:
    names: set[str] = set()
    for index, tool in enumerate(request.get("tools") or []):
        name = tool.get("name", "")
        if not _TOOL_NAME.fullmatch(name):
            raise InvalidRequest(f"tools.{index}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'")
        if name in names:
            raise InvalidRequest("tools: Tool names must be unique.")
        if tool.get("type", "custom") == "custom" and tool.get("input_schema", {}).get("type") != "object":
            raise InvalidRequest(f"tools.{index}.custom.input_schema.type: Field required")
        names.add(name)


def _check_cache_marks(request: dict[str, Any]) -> None:
    blocks = list(request.get("tools") or [])
    for content in (request.get("system") or [], *(message["content"] for message in request["messages"])):
        blocks += [] if isinstance(content, str) else content
    marks = sum(1 for block in blocks if block.get("cache_control"))
    if marks > _MAX_CACHE_MARKS:
        raise InvalidRequest(
            f"A maximum of {_MAX_CACHE_MARKS} blocks with cache_control may be provided. Found {marks}."
        )
