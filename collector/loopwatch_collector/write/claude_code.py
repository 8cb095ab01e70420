"""Claude Code reports how a tool ended on a span of its own below the tool's: carried up to the tool call.

Both spans end within the same millisecond and are exported together; should a batch end between them, the tool call
is taken for a success and only the inner span shows the error.
"""

from typing import Any, Final

from loopwatch_collector.store.rows import SPAN_INDEX
from loopwatch_collector.write.kinds import TOOL_CALL
from loopwatch_collector.write.outcomes import ERROR, retryable_of

SCOPE: Final = "com.anthropic.claude_code"
_EXECUTION: Final = "claude_code.tool.execution"
_KIND: Final = SPAN_INDEX["kind"]
_NAME: Final = SPAN_INDEX["name"]
_SPAN: Final = SPAN_INDEX["span_id"]
_PARENT: Final = SPAN_INDEX["parent_span_id"]
_STATUS: Final = SPAN_INDEX["status"]
_ERROR_TYPE: Final = SPAN_INDEX["error_type"]
_ERROR_MESSAGE: Final = SPAN_INDEX["error_message"]
_OUTCOME: Final = SPAN_INDEX["tool_outcome"]
_RETRYABLE: Final = SPAN_INDEX["tool_retryable"]


def carry_failures(rows: list[list[Any]]) -> None:
    """Makes tool calls errors whose execution failed.

    Args:
        rows: the spans of one scope of one request.
    """
    failed = {row[_PARENT]: row for row in rows if row[_NAME] == _EXECUTION and row[_STATUS] == ERROR}
    for row in rows if failed else ():
        execution = failed.get(row[_SPAN])
        if execution is not None and row[_KIND] == TOOL_CALL:
            row[_STATUS] = row[_OUTCOME] = ERROR
            row[_ERROR_TYPE], row[_ERROR_MESSAGE] = execution[_ERROR_TYPE], execution[_ERROR_MESSAGE]
            row[_RETRYABLE] = retryable_of(execution[_ERROR_TYPE], execution[_ERROR_MESSAGE])
