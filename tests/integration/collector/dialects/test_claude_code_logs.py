"""Claude Code with logs only: what it really sent (tests/data/dialects), without the spans it sent beside them."""

import random
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from loopwatch_collector.journal.record import Record
from loopwatch_collector.metrics import Metrics
from loopwatch_collector.prices.price import Pricer
from loopwatch_collector.queries import runs
from loopwatch_collector.receive.screening import EVER, screen_logs
from loopwatch_collector.store.store import Store
from loopwatch_collector.write.senders import Senders
from loopwatch_collector.write.storing import Storing
from tests.compat.payload import read_all

PAYLOAD = next(payload for payload in read_all() if payload.library == "claude-agent-sdk")
FROM_NS, TO_NS = 1_700_000_000 * 10**9, 2_000_000_000 * 10**9


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    opened = Store.open(f"chdb://{tmp_path_factory.mktemp('claude-code')}/store")
    yield opened
    opened.close()


def _logs() -> ExportLogsServiceRequest:
    """The payload's log records as a session without spans sends them."""
    request = ExportLogsServiceRequest()
    (body,) = (one["body"] for one in PAYLOAD.requests if one["path"] == "/v1/logs")
    for resource_logs in body["resourceLogs"]:
        for scope_logs in resource_logs["scopeLogs"]:
            for record in scope_logs["logRecords"]:
                record = {key: value for key, value in record.items() if key not in {"traceId", "spanId"}}
                single = {**resource_logs, "scopeLogs": [{**scope_logs, "logRecords": [record]}]}
                request.MergeFrom(json_format.ParseDict({"resourceLogs": [single]}, ExportLogsServiceRequest()))
    return request


def _write(store: Store, project: str, request: ExportLogsServiceRequest) -> int:
    """Screens and stores a request as the receiver and the writer do; returns how many records were taken."""
    screened = screen_logs(request, EVER)
    storing = Storing(store, Pricer(), Metrics(), Senders())
    storing.write(storing.prepare([Record("logs", project, 1, "", 1, request.SerializeToString())]), is_stubborn=False)
    storing.derive_runs(is_stubborn=False)
    return screened.taken


def _run(store: Store, project: str) -> tuple[dict[str, Any], dict[str, Any]]:
    (run,) = runs.list_runs(store.connection(), project, FROM_NS, TO_NS, {}, 10).runs
    return run, runs.get_spans(store.connection(), project, run["run_id"], with_content=True)


def test_a_prompt_is_a_run_with_what_the_api_answered(store: Store) -> None:
    """Calls, tokens, cost and tools are those that the session's spans tell, and the run lasts as long as its parts."""
    _write(store, "once", _logs())
    run, answer = _run(store, "once")
    usages = [one["usage"] for one in PAYLOAD.answers]
    assert (run["model_calls"], run["tool_calls"], run["tool_errors"]) == (len(usages), len(PAYLOAD.tool_calls), 1)
    assert run["output_tokens"] == sum(usage["output_tokens"] for usage in usages)
    assert run["cache_read_tokens"] == sum(usage["cache_read_input_tokens"] for usage in usages)
    # what its four requests say themselves: 0.013635 + 0.0033204 + 0.0033042 + 0.0031964
    assert Decimal(str(run["cost_usd"])) == Decimal("0.023456")
    assert run["outcome"] == "completed"
    starts = [span["start_time"] for span in answer["spans"]]
    tools = sorted(span["tool"] for span in answer["spans"] if span["kind"] == "tool_call")
    assert tools == sorted(PAYLOAD.tool_calls)
    assert (run["start_time"], run["duration_ns"] > 300_000_000) == (min(starts), True)


def test_prompt_and_responses_are_the_content_of_their_spans(store: Store) -> None:
    """The prompt is read on the run's own span, a response on the request it answers, a decision on its tool call."""
    _write(store, "content", _logs())
    _, answer = _run(store, "content")
    texts = answer["contents"]
    by_kind: dict[str, list[dict[str, Any]]] = {}
    for span in answer["spans"]:
        by_kind.setdefault(span["kind"], []).append(span)
    (own,) = by_kind["run"]
    assert ["checkout-api: error rate 12%" in texts[one] for one in own["content"]["input"]] == [True]
    said = [texts[one] for call in by_kind["model_call"] for one in call["content"]["output"]]
    assert sum("ROOT CAUSE: checkout-api" in text for text in said) == 1
    assert len(said) == len(PAYLOAD.answers)
    assert all([event["name"] for event in tool["events"]] == ["tool_decision"] for tool in by_kind["tool_call"])


def test_order_and_repetition_make_no_difference(store: Store) -> None:
    """The same records one by one, shuffled and some of them again, are the same run with the same spans."""
    _write(store, "as it was", _logs())
    singles = [ExportLogsServiceRequest(resource_logs=[one]) for one in _logs().resource_logs]
    chance = random.Random(3)
    for single in chance.sample(singles, len(singles)) + chance.sample(singles, len(singles) // 2):
        _write(store, "shuffled", ExportLogsServiceRequest.FromString(single.SerializeToString()))
    assert _run(store, "shuffled") == _run(store, "as it was")


def test_what_belongs_to_no_prompt_is_rejected(store: Store) -> None:
    """Events of the session's start name no prompt: they are not kept, and the sender is told."""
    request = _logs()
    told = len(request.resource_logs)
    taken = _write(store, "start", request)
    assert told - taken == 4  # managed settings, and three plugins
