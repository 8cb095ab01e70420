"""What the span of a tool call says."""

from functools import lru_cache
from typing import Final

from loopwatch import names
from loopwatch_collector.simulate import content, wire
from loopwatch_collector.simulate.facts import ToolCallFacts
from loopwatch_collector.simulate.wire import EVENT_ATTRIBUTE

_arguments_bytes = wire.integers(names.TOOL_ARGUMENTS_BYTES)
_result_bytes = wire.integers(names.TOOL_RESULT_BYTES)

_CALL_ID: Final = wire.texts_of_length(names.TOOL_CALL_ID, 23)
_ARGUMENTS_HASH: Final = wire.texts_of_length(names.TOOL_ARGUMENTS_HASH, 16)
_RESULT_HASH: Final = wire.texts_of_length(names.TOOL_RESULT_HASH, 16)
_SUCCESS: Final = wire.text(names.TOOL_OUTCOME, "success")
_NOT_FOUND: Final = wire.text(names.TOOL_OUTCOME, "not_found")
_ERROR: Final = {
    retryable: wire.text(names.TOOL_OUTCOME, "error") + wire.boolean(names.TOOL_RETRYABLE, retryable)
    for retryable in (False, True)
}


@lru_cache(maxsize=128)
def name(tool: str) -> bytes:
    """The name and the kind of a call's span."""
    return wire.name_and_kind(f"execute_tool {tool}", wire.INTERNAL)


def attributes(call: ToolCallFacts, *, has_content: bool) -> bytes:
    """The attributes of a call's span.

    Args:
        call: what happened.
        has_content: whether arguments and result are among them.
    """
    parts = [
        _fixed_attributes(call.tool), _CALL_ID, call_id(call), _ARGUMENTS_HASH, b"%016x" % call.arguments,
        _arguments_bytes(call.arguments_bytes),
    ]  # fmt: skip
    if call.outcome == "error":
        parts += (_ERROR[call.is_retryable], wire.text(names.ERROR_TYPE, call.error[0]))
    else:
        parts += (
            _SUCCESS if call.outcome == "success" else _NOT_FOUND,
            _RESULT_HASH, b"%016x" % call.result, _result_bytes(call.result_bytes),
        )  # fmt: skip
    if has_content:
        parts.append(wire.text(names.TOOL_ARGUMENTS, content.arguments(call.arguments, call.arguments_bytes)))
        if call.outcome != "error":
            parts.append(wire.text(names.TOOL_RESULT, result(call)))
    return b"".join(parts)


def loop_event(call: ToolCallFacts) -> bytes:
    """The event of the SDK's detector, on the call that made a loop of those before it."""
    said = (
        wire.text(names.LOOP_KIND, call.loop, EVENT_ATTRIBUTE)
        + wire.text(names.LOOP_TOOL, call.tool, EVENT_ATTRIBUTE)
        + wire.integer(names.LOOP_CALLS, call.loop_calls, EVENT_ATTRIBUTE)
    )
    return wire.event(names.LOOP_EVENT, call.start_ns + 1000, said)


def call_id(call: ToolCallFacts) -> bytes:
    """The id that the model gave a call."""
    return b"toolu__%016x" % call.call


def result(call: ToolCallFacts) -> bytes:
    """What the model is told of a call, as JSON."""
    if call.outcome == "error":
        return b'"%b"' % call.error[1].encode()
    return content.result(call.result, call.result_bytes)


@lru_cache(maxsize=128)
def _fixed_attributes(tool: str) -> bytes:
    return wire.text(names.OPERATION_NAME, names.OPERATION_EXECUTE_TOOL) + wire.text(names.TOOL_NAME, tool)
