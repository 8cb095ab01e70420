"""Span events into the row: kept as they are, and read where they say how a run or a span ended.

Events that carry messages (Strands, and the conventions up to 1.36) become the span's content, and keep the rest.
"""

from typing import Any, Final

from loopwatch import names
from loopwatch_collector.write import values
from loopwatch_collector.write.aliases import SLOTS

MAX_EVENTS: Final = 256
_MAX_EVENT_ATTRIBUTES: Final = 64
_MAX_CHARS: Final = 32_768
_NAMES: Final = SLOTS["event_names"]
_TIMES: Final = SLOTS["event_times"]
_ATTRIBUTES: Final = SLOTS["event_attributes"]
_ERROR_TYPE: Final = SLOTS["error_type"]
_ERROR_MESSAGE: Final = SLOTS["error_message"]
_ESCALATION_REASON: Final = SLOTS["escalation_reason"]
_ESCALATION_PRIORITY: Final = SLOTS["escalation_priority"]
_LIMIT_NAME: Final = SLOTS["limit_name"]
_INPUT: Final = SLOTS["input"]
_OUTPUT: Final = SLOTS["output"]
_STOP_REASON: Final = SLOTS["stop_reason"]
# Whole contents under their attributes' names, in whichever event.
_CONTENT_ATTRIBUTES: Final = {
    names.INPUT_MESSAGES: _INPUT,
    names.OUTPUT_MESSAGES: _OUTPUT,
    names.SYSTEM_INSTRUCTIONS: SLOTS["system"],
    names.TOOL_DEFINITIONS: SLOTS["tools"],
    "gen_ai.prompt": _INPUT,
    "gen_ai.completion": _OUTPUT,
}
_CONTENT_EVENTS: Final = frozenset(
    {"gen_ai.client.inference.operation.details", "gen_ai.content.prompt", "gen_ai.content.completion"}
)
# One message each: who said it, and where it goes.
_MESSAGE_EVENTS: Final = {
    "gen_ai.system.message": ("system", _INPUT),
    "gen_ai.user.message": ("user", _INPUT),
    "gen_ai.assistant.message": ("assistant", _INPUT),
    "gen_ai.tool.message": ("tool", _INPUT),
    "gen_ai.choice": ("assistant", _OUTPUT),
}


def add_events(row: list[Any], events: Any) -> None:
    """Adds a span's events to its row in the making."""
    if not events:
        return
    event_names: list[str] = []
    times: list[int] = []
    attributes: list[dict[str, str]] = []
    said: dict[int, list[Any]] = {}
    for event in events[:MAX_EVENTS]:
        pairs = event.attributes[:_MAX_EVENT_ATTRIBUTES]
        if event.name in _CONTENT_EVENTS:
            pairs = _take_contents(row, pairs)
        elif event.name in _MESSAGE_EVENTS:
            pairs = _take_message(said, row, event.name, pairs)
        found = {pair.key[: values.MAX_TEXT_CHARS]: values.attribute_text(pair.value)[:_MAX_CHARS] for pair in pairs}
        event_names.append(event.name[: values.MAX_TEXT_CHARS])
        times.append(min(event.time_unix_nano, values.MAX_NS))
        attributes.append(found)
        _read(row, event.name, found)
    row[_NAMES], row[_TIMES], row[_ATTRIBUTES] = event_names, times, attributes
    for slot, messages in said.items():
        row[slot] = row[slot] or values.json_text(messages).encode()


def _take_contents(row: list[Any], pairs: Any) -> list[Any]:
    """Moves contents into the row; returns the attributes that are none."""
    rest: list[Any] = []
    for pair in pairs:
        slot = _CONTENT_ATTRIBUTES.get(pair.key)
        if slot is None:
            rest.append(pair)
        else:
            row[slot] = row[slot] or values.content(pair.value)
    return rest


def _take_message(said: dict[int, list[Any]], row: list[Any], name: str, pairs: Any) -> list[Any]:
    """Adds an event's message to what was said; nothing of it stays with the event."""
    role, slot = _MESSAGE_EVENTS[name]
    found = {pair.key: values.plain(pair.value) for pair in pairs}
    reason = found.pop("finish_reason", None)
    if isinstance(reason, str):
        row[_STOP_REASON] = row[_STOP_REASON] or reason[: values.MAX_TEXT_CHARS]
    if "message" in found:  # Strands' word for the content of a choice
        found["content"] = found.pop("message")
    said.setdefault(slot, []).append({"role": role, **found})
    return []


def _read(row: list[Any], name: str, found: dict[str, str]) -> None:
    if name == "exception":
        row[_ERROR_TYPE] = row[_ERROR_TYPE] or found.get("exception.type", "")
        row[_ERROR_MESSAGE] = row[_ERROR_MESSAGE] or found.get("exception.message", "")
    elif name == names.ESCALATION_EVENT:
        row[_ESCALATION_REASON] = found.get(names.ESCALATION_REASON, "") or "no reason given"
        row[_ESCALATION_PRIORITY] = found.get(names.ESCALATION_PRIORITY, "")
    elif name == names.LIMIT_EVENT:
        row[_LIMIT_NAME] = row[_LIMIT_NAME] or found.get(names.LIMIT_NAME, "")
