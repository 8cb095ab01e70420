"""Plain events: how a body is read, and which spans events become."""

import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loopwatch_collector.errors import RequestRefused
from loopwatch_collector.receive.events_body import Event, parse
from loopwatch_collector.receive.events_spans import spans_of_event, spans_of_request, trace_id_of
from loopwatch_collector.receive.events_traces import Trace

SENDERS = (Path(__file__).parents[4] / "docs" / "senders.md").read_text()
AT_MS = 1_790_000_000_000


def _event(kind: str, after_ms: int = 0, **fields: Any) -> Event:
    item = {"traceId": "t", "timestamp": AT_MS + after_ms, "eventType": kind, **fields}
    taken = parse(json.dumps(item).encode())
    assert taken.rejected == []
    return taken.events[0][1]


def test_one_event_an_array_and_lines_are_read_alike() -> None:
    """One object, an array and one object a line hold the same events."""
    item = {"traceId": 7, "timestamp": AT_MS, "eventType": "plan"}
    one, array = json.dumps(item).encode(), json.dumps([item, item]).encode()
    assert [event.trace_id for _, event in parse(one).events] == ["7"]
    assert len(parse(array).events) == len(parse(one + b"\r\n\n" + one + b"\n").events) == 2


def test_examples_of_the_page_are_valid() -> None:
    """The JSON examples in docs/senders.md are events the collector takes."""
    examples = re.findall(r"```json\n(.*?)```", SENDERS, re.DOTALL)
    taken = [parse(example.encode()) for example in examples]
    assert [(len(one.events), len(one.requests), one.rejected) for one in taken] == [(1, 0, []), (0, 1, [])]


def test_faults_are_named_by_index_and_field() -> None:
    """What is wrong with an event is said with the field's name; the others stay."""
    body = json.dumps([{"traceId": "a", "timestamp": -1, "eventType": "plan"}, 3, {"request_id": "r"}]).encode()
    taken = parse(body)
    assert [refusal.index for refusal in taken.rejected] == [0, 1]
    assert taken.rejected[0].reason.startswith("timestamp")
    assert [index for index, _ in taken.requests] == [2]


def test_what_cannot_be_written_again_is_refused() -> None:
    """An event nested more deeply than JSON is written is refused by itself, not with an error of ours."""
    deep = b'{"traceId":"a","timestamp":1,"eventType":"plan","data":' + b"[" * 500 + b"]" * 500 + b"}"
    assert parse(b"[" + deep + b"]").rejected[0].reason == "it is nested too deeply"


_JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5)


@given(st.binary(max_size=200) | _JSON.map(lambda value: json.dumps(value).encode()))
@settings(max_examples=50, deadline=None)
def test_any_body_is_read_or_refused(body: bytes) -> None:
    """Whatever a body holds, it is read or refused, and nothing else goes wrong."""
    with suppress(RequestRefused):
        parse(body)


@pytest.mark.parametrize("sent", ["0AF7651916CD43DD8448EB211C80319C", "0af76519-16cd-43dd-8448-eb211c80319c"])
def test_hex_trace_ids_are_kept(sent: str) -> None:
    """A trace id that is one already, in either writing, stays itself; any other becomes one of 16 bytes."""
    assert trace_id_of(sent).hex() == "0af7651916cd43dd8448eb211c80319c"
    assert len(trace_id_of("order #7")) == len(trace_id_of("0" * 32)) == 16
    assert trace_id_of("order #7") != trace_id_of("order #8")


def test_the_same_event_is_the_same_span() -> None:
    """An event sent again makes the span it made before; another event of the same moment makes its own."""
    trace = Trace(AT_MS * 10**6)
    first, again, other = (
        next(spans_of_event(_event("plan", data=data, model="m"), trace)) for data in ("a", "a", "b")
    )
    assert first == again
    assert first.span_id != other.span_id


def test_results_go_to_the_last_open_call_of_their_tool() -> None:
    """Of two open calls of a tool the later one gets the first result, the earlier one the second."""
    trace = Trace(AT_MS * 10**6)
    calls = [next(spans_of_event(_event("tool_call", n, data={"tool": "s", "args": n}), trace)) for n in (0, 1)]
    results = [next(spans_of_event(_event("tool_result", n, data={"tool": "s", "result": n}), trace)) for n in (5, 6)]
    assert [span.span_id for span in results] == [calls[1].span_id, calls[0].span_id]
    assert results[0].start_time_unix_nano == calls[1].start_time_unix_nano


def test_a_call_that_comes_again_after_its_result_changes_nothing() -> None:
    """A tool_call sent again when its result is known makes no span: it would say less than what is stored."""
    trace = Trace(AT_MS * 10**6)
    call = _event("tool_call", data={"tool": "s"})
    assert len(list(spans_of_event(call, trace))) == 1
    assert len(list(spans_of_event(_event("tool_result", 5, data={"tool": "s", "result": 1}), trace))) == 1
    assert list(spans_of_event(call, trace)) == []


def test_a_record_pairs_its_results_by_id_name_and_order() -> None:
    """A request record's results find their calls by id, else by name, else in order; the rest stand alone."""
    record = {
        "request_id": "r",
        "tool_calls": [{"name": "a", "id": "1"}, {"name": "b"}, "c"],
        "tool_results": ["third", {"name": "b", "result": "second"}, {"id": "1", "result": "first"}, {"name": "d"}],
    }
    ((_, request),) = parse(json.dumps(record).encode()).requests
    spans = [span for span in spans_of_request(request, Trace(AT_MS * 10**6)) if span.name.startswith("execute_tool")]
    found = [
        {pair.key: pair.value.string_value for pair in span.attributes}.get("gen_ai.tool.call.result") for span in spans
    ]
    assert [span.name for span in spans] == ["execute_tool a", "execute_tool b", "execute_tool c", "execute_tool d"]
    assert found[:3] == ["first", "second", "third"]
