"""What the objects that agents put into events say, whatever their fields are called."""

from collections import deque
from collections.abc import Iterator
from typing import Any, Final, cast

import orjson

_TEXTS: Final = ("text", "content", "message", "response", "plan", "observation", "thought", "reasoning", "output")


def paired(calls: list[Any], results: list[Any]) -> Iterator[tuple[Any, Any]]:
    """Calls with their results: by call id, else by the tool's name, else in order; then the results that are left.

    Args:
        calls: what was called, each of any form.
        results: what came back, each of any form.

    Yields:
        A call and its result; None for the one that is missing.
    """
    waiting = dict(enumerate(results))
    by_id: dict[str, deque[int]] = {}
    by_name: dict[str, deque[int]] = {}
    unnamed: deque[int] = deque()
    for place, result in waiting.items():
        call_id, name = call_id_in(result), name_in(result)
        by_id.setdefault(call_id, deque()).append(place)
        by_name.setdefault(name, deque()).append(place)
        if not call_id and not name:
            unnamed.append(place)
    none: deque[int] = deque()
    for call in calls:
        call_id, name = call_id_in(call), tool_of(call)
        groups = (by_id.get(call_id, none) if call_id else none, by_name.get(name, none) if name else none, unnamed)
        place = next((found for group in groups if (found := _first_waiting(group, waiting)) is not None), None)
        yield call, None if place is None else waiting.pop(place)
    for result in waiting.values():
        yield None, result


def _first_waiting(places: deque[int], waiting: dict[int, Any]) -> int | None:
    while places and places[0] not in waiting:
        places.popleft()
    return places[0] if places else None


def text_of(value: Any) -> str:
    """A text for a message: texts as they are, objects by the field that holds one, else nothing."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        found = (field(value, name) for name in _TEXTS)
        return next((text for text in found if isinstance(text, str)), "")
    return ""


def field(data: Any, name: str) -> Any:
    """A field of an object; None of anything else."""
    return cast("dict[str, Any]", data).get(name) if isinstance(data, dict) else None


def tool_of(call: Any) -> str:
    """The tool of a call, which may be its name alone; "" when it is not said."""
    return call[:256] if isinstance(call, str) else name_in(call)


def name_in(data: Any) -> str:
    """The tool's name in an object, OpenAI's inner `function` too; "" when it is not said."""
    function = field(data, "function")
    found = (field(data, name) for name in ("tool", "name", "toolName", "tool_name"))
    return next((text[:256] for text in found if isinstance(text, str)), "") or (name_in(function) if function else "")


def call_id_in(data: Any) -> str:
    """What tells a call from others of its tool; "" when nothing does."""
    found = (field(data, name) for name in ("toolCallId", "tool_call_id", "tool_use_id", "callId", "call_id", "id"))
    return next((str(one)[:256] for one in found if isinstance(one, str | int)), "")


def arguments_in(data: Any) -> str | None:
    """What a tool was called with, as text; None when it is not said."""
    for name in ("arguments", "args", "input", "parameters", "params"):
        found = field(data, name)
        if found is not None:
            return content(found)
    function = field(data, "function")
    return arguments_in(function) if function else None


def content(value: Any) -> str | None:
    """A text as it is, anything else as JSON; None where there is nothing."""
    if value is None or isinstance(value, str):
        return value or None
    return orjson.dumps(value).decode()
