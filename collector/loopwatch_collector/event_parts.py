"""How a span that came as a plain event says which part of its run it tells: between receiving, writing and storing.

A tool call and its result, or the first and the last `response` of a run, may come in any order, to different
collectors. So each is a row of its own, and what they tell together is put together in the store: store/assembly.py.
"""

from typing import Final

SCOPE: Final = "loopwatch.events"

PART: Final = "loopwatch.event"
"""Attribute: one of the parts below; absent where an event is a span by itself."""

CALL: Final = "tool_call"
RESULT: Final = "tool_result"
RESPONSE: Final = "response"
RUN: Final = "run"

TOLD_BY_ANOTHER: Final = frozenset({RESULT, RESPONSE})
"""Parts that are no span for anybody before the store has seen the others."""

RESULT_EVENT: Final = "loopwatch.event.result"
"""Attribute of a tool call: the hex id of the row that brought its result. Absent while it waits."""

RESPONSE_EVENT: Final = "loopwatch.event.response"
"""Attribute of a run's own span: the hex id of the row it says again."""

HIDDEN_KIND: Final = "event"
"""The kind of rows that are no span for anybody: what they tell is, or will be, told by another."""

UNKNOWN_TOOL: Final = "unknown"
"""The tool of a call or result that does not say which."""
