"""Span events into the row: kept as they are, and read where they say how a run or a span ended."""

from typing import Any, Final

from loopwatch import names
from loopwatch_collector.write import values
from loopwatch_collector.write.aliases import SLOTS

_MAX_EVENTS: Final = 256
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


def add_events(row: list[Any], events: Any) -> None:
    """Adds a span's events to its row in the making."""
    if not events:
        return
    event_names: list[str] = []
    times: list[int] = []
    attributes: list[dict[str, str]] = []
    for event in events[:_MAX_EVENTS]:
        found = {
            pair.key[: values.MAX_TEXT_CHARS]: values.attribute_text(pair.value)[:_MAX_CHARS]
            for pair in event.attributes[:_MAX_EVENT_ATTRIBUTES]
        }
        event_names.append(event.name[: values.MAX_TEXT_CHARS])
        times.append(min(event.time_unix_nano, values.MAX_NS))
        attributes.append(found)
        _read(row, event.name, found)
    row[_NAMES], row[_TIMES], row[_ATTRIBUTES] = event_names, times, attributes


def _read(row: list[Any], name: str, found: dict[str, str]) -> None:
    if name == "exception":
        row[_ERROR_TYPE] = row[_ERROR_TYPE] or found.get("exception.type", "")
        row[_ERROR_MESSAGE] = row[_ERROR_MESSAGE] or found.get("exception.message", "")
    elif name == names.ESCALATION_EVENT:
        row[_ESCALATION_REASON] = found.get(names.ESCALATION_REASON, "") or "no reason given"
        row[_ESCALATION_PRIORITY] = found.get(names.ESCALATION_PRIORITY, "")
    elif name == names.LIMIT_EVENT:
        row[_LIMIT_NAME] = row[_LIMIT_NAME] or found.get(names.LIMIT_NAME, "")
