"""Claude Code's log events, of a session that exports logs and no spans.

Some stand for a span and become it; every other event of a prompt belongs to one of those. The ids are made of what
the events name, so that it does not matter which of them comes first, or again: a prompt is a trace, and its
`user_prompt` the run's own span; a request is told from others by its `request_id`, a tool call by its `tool_use_id`.
Which names the events carry: https://code.claude.com/docs/en/monitoring-usage
"""

import hashlib
from typing import Any, Final

from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from loopwatch import names
from loopwatch_collector.write import values

PREFIX: Final = "claude_code."
_PROMPT: Final = "user_prompt"
_RESPONSE: Final = "assistant_response"
# What an event stands for when no span does, and the name the span would have had.
_SPANS: Final = {
    _PROMPT: "claude_code.interaction",
    "api_request": "claude_code.llm_request",
    "api_error": "claude_code.llm_request",
    "tool_result": "claude_code.tool",
}
# Which attribute tells the span of an event from others of its kind. A failed request is tried again under the same
# id, so that errors are told apart by what they say.
_TOLD_BY: Final = {"api_request": "request_id", "tool_result": "tool_use_id"}
# Whose span an event belongs to that stands for none, by the same attributes; any other belongs to the prompt's.
_BELONGS_TO: Final = {_RESPONSE: "api_request", "tool_decision": "tool_result"}
# The attributes that hold a message's text, whose message it is, and where the conventions would have put it.
_MESSAGES: Final = {
    _PROMPT: (("prompt", "prompt_text"), "user", "gen_ai.input.messages"),
    _RESPONSE: (("response",), "assistant", "gen_ai.output.messages"),
}
_REDACTED: Final = "<REDACTED>"
_MCP_TOOL: Final = "mcp_tool"  # every tool of an MCP server is called that; the parameters say which it was


def described(record: LogRecord, event: str, digest: int) -> Span | None:
    """The span an event stands for.

    Args:
        record: a log record that names no span.
        event: the event's name without its prefix.
        digest: a hash of the record.

    Returns:
        The span; None for an event that belongs to another's.
    """
    name = _SPANS.get(event)
    if name is None:
        return None
    end_ns = record.time_unix_nano or record.observed_time_unix_nano
    lasted_ns = values.milliseconds_as_ns(_attribute(record, "duration_ms")) or 0
    return Span(
        trace_id=_trace_id(record),
        span_id=_span_id(record, event) or digest.to_bytes(8, "big"),
        name=name,
        start_time_unix_nano=max(1, end_ns - lasted_ns),
        end_time_unix_nano=end_ns,
        attributes=[*attributes(record, event), _pair("span.type", name.removeprefix(PREFIX))],
        parent_span_id=b"",
    )


def placed(record: LogRecord, event: str) -> LogRecord:
    """An event that stands for no span, under the ids of the one it belongs to.

    Args:
        record: a log record that names no span.
        event: the event's name without its prefix.
    """
    found = LogRecord()
    found.CopyFrom(record)
    found.trace_id = _trace_id(record)
    found.span_id = _span_id(record, _BELONGS_TO.get(event, _PROMPT)) or _id_of(_PROMPT, _text(record, "prompt.id"))
    return found


def attributes(record: LogRecord, event: str) -> list[KeyValue]:
    """What an event says, its message under the conventions' name.

    Args:
        record: any of Claude Code's log records.
        event: the event's name without its prefix.
    """
    sources, role, target = _MESSAGES.get(event, ((), "", ""))
    said = [pair for pair in record.attributes if pair.key not in sources]
    text = next((text for key in sources if (text := _text(record, key))), _REDACTED)
    if text != _REDACTED:
        said.append(_pair(target, values.json_text([{"role": role, "content": text}])))
    if _text(record, "tool_name") == _MCP_TOOL and (name := _mcp_tool(_attribute(record, "tool_parameters"))):
        said.append(_pair(names.TOOL_NAME, name))
    return said


def _mcp_tool(parameters: Any) -> str:
    """The tool's own name, as Claude Code's spans say it; "" where the details were not exported."""
    name = (values.json_object(parameters) or {}).get("mcp_tool_name")
    return name if isinstance(name, str) else ""


def _trace_id(record: LogRecord) -> bytes:
    # One prompt is one run; a session without prompt ids is one run as a whole.
    whose = _text(record, "prompt.id") or _text(record, "session.id") or "unknown session"
    return hashlib.blake2b(whose.encode(), digest_size=16, person=b"claude_code").digest()


def _span_id(record: LogRecord, event: str) -> bytes:
    """The id of the span that stands for an event, where the record says which; b"" where it does not."""
    text = _text(record, "prompt.id" if event == _PROMPT else _TOLD_BY.get(event, ""))
    return _id_of(event, text) if text else b""


def _id_of(event: str, text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=8, person=event.encode()).digest()


def _text(record: LogRecord, key: str) -> str:
    return _attribute(record, key).string_value


def _attribute(record: LogRecord, key: str) -> Any:
    return next((pair.value for pair in record.attributes if pair.key == key), KeyValue().value)


def _pair(key: str, text: str) -> KeyValue:
    pair = KeyValue(key=key)
    pair.value.string_value = text
    return pair
