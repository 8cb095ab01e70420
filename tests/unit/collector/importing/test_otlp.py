import json
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from loopwatch import names
from loopwatch_collector.importing.chat import ChatOptions, transcripts
from loopwatch_collector.importing.otlp import MESSAGE_NS, record, request_of
from loopwatch_collector.importing.transcript import Transcript

DATA = Path(__file__).parents[3] / "data" / "chat"
START_NS = 1_700_000_000_000_000_000


def _transcripts() -> list[Transcript]:
    options = ChatOptions(agent="support", outcome_key="reward", id_keys=("task_id", "trial"), customer_key="customer")
    return list(transcripts(json.loads((DATA / "support.json").read_text()), options))


def _spans(transcript: Transcript, **options: Any) -> list[Span]:
    request = request_of(record(transcript, START_NS, **options))
    return list(request.resource_spans[0].scope_spans[0].spans)


def _attributes(span: Any) -> dict[str, Any]:
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in span.attributes}


def test_span_tree_of_one_run() -> None:
    """A run with two iterations is its root, an iteration each, a model call in each and the tool calls beside it."""
    spans = _spans(_transcripts()[5])
    names_by_id = {span.span_id: span.name for span in spans}
    tree = [(span.name, names_by_id.get(span.parent_span_id)) for span in spans]
    assert tree == [
        ("invoke_agent support", None),
        ("iteration 1", "invoke_agent support"),
        ("chat", "iteration 1"),
        ("execute_tool refund", "iteration 1"),
        ("iteration 2", "invoke_agent support"),
        ("chat", "iteration 2"),
        ("execute_tool transfer_to_human_agents", "iteration 2"),
    ]


def test_escalated_run_says_why() -> None:
    """A hand-over makes the run escalated, with the summary the agent wrote as the reason."""
    root = _spans(_transcripts()[5])[0]
    assert _attributes(root)[names.OUTCOME] == "escalated"
    escalation = next(event for event in root.events if event.name == names.ESCALATION_EVENT)
    assert _attributes(escalation) == {
        names.ESCALATION_REASON: "order 5 is locked",
        names.ESCALATION_LAST_TOOL: "transfer_to_human_agents",
        names.ESCALATION_ITERATION: 2,
    }


def test_same_transcript_is_the_same_request() -> None:
    """Two imports of one transcript send the same bytes: nothing in them is random or the time of day."""
    first, second = (request_of(record(_transcripts()[4], START_NS)).SerializeToString() for _ in range(2))
    assert first == second


def test_every_span_of_every_run_has_its_own_id() -> None:
    """No two spans of the file share an id, and each run has a trace of its own."""
    spans = [span for transcript in _transcripts() for span in _spans(transcript)]
    assert len({span.span_id for span in spans}) == len(spans)
    assert len({span.trace_id for span in spans}) == len(_transcripts())


def test_children_lie_within_their_parents() -> None:
    """Each span starts and ends within its parent, whatever the run's shape."""
    for transcript in _transcripts():
        spans = {span.span_id: span for span in _spans(transcript)}
        for span in spans.values():
            parent = spans.get(span.parent_span_id, span)
            assert parent.start_time_unix_nano <= span.start_time_unix_nano
            assert span.end_time_unix_nano <= parent.end_time_unix_nano


def test_assigned_times_follow_the_messages() -> None:
    """A run without times of its own lasts as long as it has messages, and says that its times were assigned."""
    transcript = _transcripts()[0]
    root = _spans(transcript)[0]
    assert root.end_time_unix_nano - root.start_time_unix_nano == MESSAGE_NS * len(transcript.messages)
    assert _attributes(root)["loopwatch.import.times"] == "assigned"


def test_no_content_leaves_no_text() -> None:
    """Without content none of the file's sentences, arguments or results is in the bytes sent."""
    for transcript in _transcripts():
        sent = request_of(record(transcript, START_NS, has_content=False)).SerializeToString()
        for secret in (b"order", b"Refund", b"status", b"locked", b"help customers", b"2+2"):
            assert secret not in sent.replace(b"execute_tool get_order", b"").replace(b"get_order", b"")


def test_transcript_without_times_needs_a_start() -> None:
    """A transcript without times and without a start is refused rather than dated by the clock."""
    with pytest.raises(ValueError, match="needs a start"):
        record(_transcripts()[0], None)
