"""How spans of other libraries ended, and what that says of their run."""

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from loopwatch_collector.journal.record import Record
from loopwatch_collector.store.rows import SPAN_COLUMNS
from loopwatch_collector.write.contents import Contents
from loopwatch_collector.write.decode import Rows, add_rows
from tests.unit.collector.write.one_span import START_NS, pair, row_of


@pytest.mark.parametrize(
    ("result", "outcome"),
    [
        ('{"rows": [1]}', "success"),
        ("plain text", "success"),
        ("[]", "not_found"),
        ("null", "not_found"),
        ('{"lines": [], "minutes": 30}', "not_found"),
        ('{"isError": true, "content": []}', "error"),
        ('{"error": "rate limit"}', "error"),
        ('{"error": null, "data": 1}', "success"),
        ('{"status": "error"}', "error"),
        ("{broken", "success"),
    ],
)
def test_results_tell_how_a_tool_call_ended(result: str, outcome: str) -> None:
    """Where the sender gives no outcome, the result's JSON does: an error, nothing found, else success."""
    row = row_of({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "t", "gen_ai.tool.call.result": result})
    assert row["tool_outcome"] == outcome


def test_a_failed_span_is_a_tool_error_and_may_be_retryable() -> None:
    """An error status is an error whatever the result says; time-outs and overload are worth a retry."""
    tool = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "t"}
    failed = Status(code=Status.STATUS_CODE_ERROR, message="upstream timed out")
    row = row_of(tool, status=failed)
    assert (row["tool_outcome"], row["tool_retryable"], row["error_message"]) == ("error", 1, "upstream timed out")
    assert (
        row_of(tool, status=Status(code=Status.STATUS_CODE_ERROR, message="no such column"))["tool_retryable"] is None
    )


def test_what_the_sender_says_of_a_tool_call_is_not_judged() -> None:
    """An outcome in our words stands, whatever the result looks like."""
    row = row_of({"loopwatch.kind": "tool_call", "loopwatch.tool.outcome": "success", "gen_ai.tool.call.result": "[]"})
    assert row["tool_outcome"] == "success"


@pytest.mark.parametrize("tool", ["transfer_to_human_agents", "escalate-ticket", "mcp.Human-Handoff"])
def test_a_hand_over_tool_escalates_the_run(tool: str) -> None:
    """A tool named like a hand-over gives the run its reason: the first text it was called with."""
    tool_call = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": tool}
    assert row_of({**tool_call, "gen_ai.tool.call.arguments": {"n": 1, "why": "angry"}})["escalation_reason"] == "angry"
    assert row_of(tool_call)["escalation_reason"] == tool
    failed = Status(code=Status.STATUS_CODE_ERROR)
    assert row_of(tool_call, status=failed)["escalation_reason"] == ""
    assert row_of({**tool_call, "loopwatch.run.id": "ours"})["escalation_reason"] == ""


def test_a_framework_limit_stops_the_run() -> None:
    """A run that failed with the exception by which its framework enforces a limit names that limit."""
    row = row_of(
        {"gen_ai.operation.name": "invoke_agent", "error.type": "pydantic_ai.exceptions.UsageLimitExceeded"},
        status=Status(code=Status.STATUS_CODE_ERROR),
        parent=b"",
    )
    assert row["limit_name"] == "tokens"


def test_claude_codes_failed_execution_fails_the_tool_call() -> None:
    """The span below a tool's that tells how it ended makes the tool call an error; the others stay as they are."""
    request = ExportTraceServiceRequest()
    scope_spans = request.resource_spans.add().scope_spans.add()
    scope_spans.scope.name = "com.anthropic.claude_code.tracing"
    for number, message in ((1, "the backend timed out"), (2, "")):
        ids = {"trace_id": b"\x01" * 16, "start_time_unix_nano": START_NS, "end_time_unix_nano": START_NS + 1}
        tool = {"span.type": "tool", "gen_ai.tool.name": f"tool {number}"}
        said = {"span.type": "tool.execution", "success": not message, "error": message, "error.type": "tool_error"}
        scope_spans.spans.add(
            name="claude_code.tool",
            span_id=bytes([number] * 8),
            attributes=[pair(*one) for one in tool.items()],
            **ids,
        )
        scope_spans.spans.add(
            name="claude_code.tool.execution",
            span_id=bytes([number + 8] * 8),
            parent_span_id=bytes([number] * 8),
            attributes=[pair(*one) for one in said.items()],
            **ids,
        )
    rows = Rows(Contents(set()))
    add_rows(rows, Record("traces", "p", 1, "", 4, request.SerializeToString()))
    named = [dict(zip((column.name for column in SPAN_COLUMNS), values, strict=True)) for values in rows.spans]
    found = {row["tool"]: (row["tool_outcome"], row["error_message"], row["tool_retryable"]) for row in named}
    assert found["tool 1"] == ("error", "the backend timed out", 1)
    assert found["tool 2"] == ("success", "", None)
