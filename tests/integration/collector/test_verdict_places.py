"""Evaluation results in logs are found on the run they judge, whichever arrives first."""

import time
from collections.abc import Iterator

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from loopwatch_collector.journal.record import Record
from loopwatch_collector.metrics import Metrics
from loopwatch_collector.prices.price import Pricer
from loopwatch_collector.receive.screening import EVER, screen_logs
from loopwatch_collector.store.store import Store
from loopwatch_collector.write.senders import Senders
from loopwatch_collector.write.storing import Storing
from tests.migrated_store import migrated_store

NOW_NS = time.time_ns()
TRACE, ROOT, CALL = b"\x07" * 16, b"\x01" * 8, b"\x02" * 8


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    opened = Store.open(migrated_store(tmp_path_factory.mktemp("placed") / "store"))
    yield opened
    opened.close()


def _said(**values: str) -> list[KeyValue]:
    return [KeyValue(key=key.replace("__", "."), value=AnyValue(string_value=value)) for key, value in values.items()]


def _spans(project: str) -> Record:
    """A run whose id is not its trace's, with a model call and, ended before it, a run below it."""
    request = ExportTraceServiceRequest()
    run = {"trace_id": TRACE, "start_time_unix_nano": NOW_NS}
    spans = request.resource_spans.add().scope_spans.add().spans
    spans.add(**run, span_id=ROOT, attributes=_said(gen_ai__operation__name="invoke_agent", loopwatch__run__id="mine"))
    below = _said(gen_ai__operation__name="invoke_agent", loopwatch__run__id="below", loopwatch__parent_run__id="mine")
    spans.add(**run, span_id=b"\x03" * 8, parent_span_id=ROOT, attributes=below)
    spans.add(
        **run, span_id=CALL, parent_span_id=ROOT,
        attributes=_said(gen_ai__operation__name="chat", loopwatch__run__id="mine", gen_ai__response__id="msg_1"),
    )  # fmt: skip
    assert isinstance(spans[0], Span)
    return Record("traces", project, NOW_NS, "", 3, request.SerializeToString())


def _evaluations(project: str) -> Record:
    request = ExportLogsServiceRequest()
    records = request.resource_logs.add().scope_logs.add().log_records
    for name, ids, said in (
        ("of the run", {"trace_id": TRACE, "span_id": ROOT}, {}),
        ("of the trace", {"trace_id": TRACE}, {}),
        ("of the call", {"trace_id": TRACE, "span_id": CALL}, {}),
        ("of the response", {}, {"gen_ai__response__id": "msg_1"}),
        ("of its response", {"trace_id": TRACE}, {"gen_ai__response__id": "msg_1"}),
        ("by the run's id", {}, {"loopwatch__run__id": "mine"}),
        ("of another", {"trace_id": b"\x08" * 16, "span_id": ROOT}, {}),
    ):
        records.add(
            **ids, event_name="gen_ai.evaluation.result", time_unix_nano=NOW_NS + 10**9,
            attributes=_said(gen_ai__evaluation__name=name, gen_ai__evaluation__explanation="why", **said),
        )  # fmt: skip
    return Record("logs", project, NOW_NS, "", len(records), request.SerializeToString())


def _write(store: Store, *requests: Record) -> None:
    """Each request by a collector that was just started."""
    for record in requests:
        storing = Storing(store, Pricer(), Metrics(), Senders())
        storing.write(storing.prepare([record]), is_stubborn=False)


def test_evaluations_are_on_their_run_in_any_order(store: Store) -> None:
    """A trace and span, a response alone or with its trace, and a run's id lead to the run, sent once or again.

    What is said of the run's own span is of the run; what is said of a span that never came stays under its trace.
    """
    orders = {"spans first": (_spans, _evaluations), "spans last": (_evaluations, _spans),
              "again": (_evaluations, _spans, _evaluations, _spans)}  # fmt: skip
    for project, order in orders.items():
        _write(store, *(make(project) for make in order))
    rows = store.connection().rows("SELECT project, name, run_id, span_id, comment FROM verdicts FINAL")
    found = {project: {tuple(row[1:]) for row in rows if row[0] == project} for project in orders}
    expected = {
        ("of the run", "mine", "", "why"),
        ("of the trace", "mine", "", "why"),
        ("of the call", "mine", CALL.hex(), "why"),
        ("of the response", "mine", CALL.hex(), "why"),
        ("of its response", "mine", CALL.hex(), "why"),
        ("by the run's id", "mine", "", "why"),
        ("of another", "08" * 16, ROOT.hex(), "why"),
    }
    assert [found[project] for project in orders] == [expected] * len(orders)
    assert len(rows) == len(expected) * len(orders)


@pytest.mark.parametrize(
    ("name", "said", "is_taken"),
    [
        ("gen_ai.evaluation.result", {"gen_ai__response__id": "msg_1"}, True),
        ("gen_ai.evaluation.result", {}, False),
        ("gen_ai.user.message", {"gen_ai__response__id": "msg_1"}, False),
        ("claude_code.api_request", {"prompt__id": "p"}, True),
        ("claude_code.user_prompt", {"session__id": "s"}, True),
        ("claude_code.tool_decision", {"prompt__id": "p"}, True),
        ("claude_code.tool_decision", {"session__id": "s"}, False),
    ],
)
def test_what_cannot_be_placed_is_rejected(name: str, said: dict[str, str], is_taken: bool) -> None:
    """An event that names neither a span nor what leads to one is not acknowledged as if it were kept."""
    request = ExportLogsServiceRequest()
    records = request.resource_logs.add().scope_logs.add().log_records
    records.add(event_name=name, time_unix_nano=NOW_NS, attributes=_said(**said))
    screened = screen_logs(request, EVER)
    assert (screened.taken, len(records)) == (int(is_taken), int(is_taken))
    assert screened.reason == ("" if is_taken else "1 with an event that names no span")
