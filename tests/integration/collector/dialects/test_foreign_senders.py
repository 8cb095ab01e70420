"""Senders that know nothing of Loopwatch: what is inferred, and that no order of arrival changes it."""

import time
import urllib.request
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from tests.processes import ALL_TIME, bare_collector, get, wait_for

DAY_S = 86_400
# Two seconds before the last midnight but one: what begins then ends on another day.
BEFORE_MIDNIGHT_NS = (int(time.time()) // DAY_S - 1) * DAY_S * 10**9 - 2 * 10**9
SECOND = 10**9
ERROR = Status(code=Status.STATUS_CODE_ERROR, message="it failed")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with bare_collector(tmp_path_factory.mktemp("foreign"), LOOPWATCH_HANDOVER_TOOLS="summon_*, *escalate*") as running:
        yield running.url


def _send(url: str, *spans: Span) -> None:
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    resource.resource.attributes.append(KeyValue(key="service.name", value=AnyValue(string_value="shop")))
    scope = resource.scope_spans.add(spans=spans)
    scope.scope.name = "my-own-tracer"
    message = urllib.request.Request(
        f"{url}/v1/traces", request.SerializeToString(), {"content-type": "application/x-protobuf"}
    )
    with urllib.request.urlopen(message, timeout=30) as reply:
        assert reply.read() == b""


def _run(url: str, trace: int, **expected: Any) -> dict[str, Any]:
    run_id = trace.to_bytes(16, "big").hex()

    def look() -> dict[str, Any] | None:
        runs = get(f"{url}/api/v1/runs", **ALL_TIME, limit=500)["runs"]
        found = [run for run in runs if run["run_id"] == run_id]
        # One row a day may be there for a moment, while a run's start moves over midnight.
        is_right = len(found) == 1 and all(found[0][name] == value for name, value in expected.items())
        return found[0] if is_right else None

    return wait_for(look, f"run {run_id} with {expected}", 30)


def _span(
    trace: int,
    number: int,
    at_s: float,
    lasts_s: float,
    /,
    parent: int | None = 1,
    status: Status | None = None,
    **said: Any,
) -> Span:
    """A span `at_s` after the base; `said` are attributes, with `__` for a dot."""
    start_ns = BEFORE_MIDNIGHT_NS + int(at_s * SECOND)
    return Span(
        trace_id=trace.to_bytes(16, "big"),
        span_id=number.to_bytes(8, "big"),
        parent_span_id=b"" if parent is None else parent.to_bytes(8, "big"),
        name=f"span {number}",
        start_time_unix_nano=start_ns,
        end_time_unix_nano=start_ns + int(lasts_s * SECOND),
        status=status,
        attributes=[
            KeyValue(
                key=key.replace("__", "."),
                value=AnyValue(int_value=value) if isinstance(value, int) else AnyValue(string_value=value),
            )
            for key, value in said.items()
        ],
    )


def _model_call(trace: int, number: int, at_s: float, parent: int = 1) -> Span:
    return _span(
        trace, number, at_s, 0.5, parent,
        gen_ai__operation__name="chat", gen_ai__provider__name="anthropic", gen_ai__request__model="claude-opus-5-5",
        gen_ai__usage__input_tokens=100, gen_ai__usage__output_tokens=10, gen_ai__response__id=f"msg_{trace}_{number}",
    )  # fmt: skip


def _tool_call(trace: int, number: int, at_s: float, tool: str, **said: Any) -> Span:
    return _span(trace, number, at_s, 0.2, gen_ai__operation__name="execute_tool", gen_ai__tool__name=tool, **said)


def _agent(trace: int, **said: Any) -> Span:
    return _span(trace, 1, 0, 5, None, gen_ai__operation__name="invoke_agent", gen_ai__agent__name="helper", **said)


def _orders(spans: Sequence[Span]) -> list[Sequence[Span]]:
    return [spans, spans[::-1], [*spans[2:], *spans[:2]]]


@pytest.mark.parametrize("order", [0, 1, 2])
def test_a_run_over_midnight_is_one_run_in_any_order(url: str, order: int) -> None:
    """Spans of two days, one a request, root first, last or between: one run, its start, length and sums the same."""
    trace = 1000 + order
    spans = [
        _agent(trace),
        _model_call(trace, 2, 0.5),
        _tool_call(trace, 3, 1.5, "search"),
        _model_call(trace, 4, 3),
        _tool_call(trace, 5, 4, "search", gen_ai__tool__call__result="[]"),
    ]
    for span in _orders(spans)[order]:
        _send(url, span)
    run = _run(url, trace, model_calls=2, tool_calls=2, outcome="completed")
    assert (run["agent"], run["iterations"], run["input_tokens"], run["tool_not_found"]) == ("helper", 2, 200, 1)
    assert run["duration_ns"] == 5 * SECOND
    assert run["cost_usd"] == pytest.approx(2 * (100 * 4 + 10 * 20) / 1e6)
    assert "T23:59:58" in run["start_time"]


def test_a_run_without_its_root_is_open_until_the_root_comes(url: str) -> None:
    """Children alone are an open run with what they cost; the root, days later in arrival, ends it."""
    _send(url, _model_call(2000, 2, 3), _tool_call(2000, 3, 4, "search"))
    open_run = _run(url, 2000, model_calls=1)
    assert (open_run["outcome"], open_run["agent"], open_run["iterations"]) == ("abandoned", "shop", 1)
    _send(url, _agent(2000))
    assert _run(url, 2000, outcome="completed")["agent"] == "helper"


def test_skewed_clocks_do_no_harm(url: str) -> None:
    """Children before their parent's start, ends before starts: the run's length is its root's, nothing is negative."""
    backwards = _model_call(3000, 3, 1)
    backwards.end_time_unix_nano = backwards.start_time_unix_nano - SECOND
    _send(url, _agent(3000), _model_call(3000, 2, -600), backwards, _tool_call(3000, 4, 900, "search"))
    run = _run(url, 3000, model_calls=2, tool_calls=1, outcome="completed")
    assert run["duration_ns"] == 5 * SECOND
    spans = get(f"{url}/api/v1/runs/{run['run_id']}/spans")["spans"]
    assert min(span["duration_ns"] for span in spans) == 0


def test_a_trace_without_an_agent_is_a_run_of_its_service(url: str) -> None:
    """An application's plain root span with model calls below is a run; its agent is the service."""
    _send(url, _span(4000, 1, 0, 2, None), _model_call(4000, 2, 0.1), _model_call(4000, 3, 1, parent=2))
    run = _run(url, 4000, outcome="completed")
    assert (run["agent"], run["model_calls"], run["iterations"]) == ("shop", 2, 1)


def test_whose_run_it_is_comes_from_any_names(url: str) -> None:
    """Conversation, customer and user are found under the names other tools give them, on any span."""
    _send(
        url,
        _agent(5000),
        _model_call(5000, 2, 1),
        _tool_call(5000, 3, 2, "x", session__id="chat 7", tenant__id="acme", enduser__id="jo"),
    )
    run = _run(url, 5000, outcome="completed")
    assert (run["conversation_id"], run["customer_id"], run["user_id"]) == ("chat 7", "acme", "jo")


def test_hand_over_tools_are_configurable(url: str) -> None:
    """A tool that matches LOOPWATCH_HANDOVER_TOOLS escalates the run; one that matched only the default does not."""
    arguments = '{"urgency": 3, "note": "needs a person"}'
    _send(url, _agent(6000), _tool_call(6000, 2, 1, "summon_operator", gen_ai__tool__call__arguments=arguments))
    run = _run(url, 6000, outcome="escalated")
    assert (run["escalation_reason"], run["last_tool"]) == ("needs a person", "summon_operator")
    _send(url, _agent(6001), _tool_call(6001, 2, 1, "transfer_to_human"))
    _run(url, 6001, outcome="completed")


def test_failures_and_limits_are_told_apart(url: str) -> None:
    """A failed root is a failed run; one that failed by its framework's limit is stopped, with the limit's name."""
    _send(url, _span(7000, 1, 0, 1, None, ERROR, gen_ai__operation__name="invoke_agent", error__type="ValueError"))
    assert _run(url, 7000, outcome="failed")["error_type"] == "ValueError"
    limit = "langgraph.errors.GraphRecursionError"
    _send(url, _span(7001, 1, 0, 1, None, ERROR, gen_ai__operation__name="invoke_agent", error__type=limit))
    assert _run(url, 7001, outcome="stopped")["limit"] == "iterations"
