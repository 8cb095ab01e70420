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
from loopwatch_collector.receive.events_body import Event, disbelieve, parse
from loopwatch_collector.receive.events_data import paired
from loopwatch_collector.receive.events_spans import spans_of_event, spans_of_request, trace_id_of

SENDERS = (Path(__file__).parents[4] / "docs" / "senders.md").read_text()
AT_MS = 1_790_000_000_000
_ITEM: dict[str, Any] = {"traceId": "a", "timestamp": AT_MS, "eventType": "plan"}


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
    first, again, other = (next(spans_of_event(_event("plan", data=data, model="m"))) for data in ("a", "a", "b"))
    assert first == again
    assert first.span_id != other.span_id


@pytest.mark.parametrize("fields", [{"data": {"outcome": {}, "isError": [1], "tool": [], "toolCallId": {}}}])
@pytest.mark.parametrize("kind", ["tool_call", "tool_result", "response"])
def test_fields_of_odd_types_are_passed_over(kind: str, fields: dict[str, Any]) -> None:
    """Where a word is looked for, a list or an object is none, and no error of ours either."""
    [span] = spans_of_event(_event(kind, **fields))
    assert {pair.key for pair in span.attributes}.isdisjoint({"loopwatch.outcome", "loopwatch.tool.outcome"})


def test_a_record_pairs_its_results_by_id_name_and_order() -> None:
    """A request record's results find their calls by id, else by name, else in order; the rest stand alone."""
    record = {
        "request_id": "r",
        "tool_calls": [{"name": "a", "id": "1"}, {"name": "b"}, "c"],
        "tool_results": ["third", {"name": "b", "result": "second"}, {"id": "1", "result": "first"}, {"name": "d"}],
    }
    ((_, request),) = parse(json.dumps(record).encode()).requests
    spans = [span for span in spans_of_request(request, AT_MS * 10**6) if span.name.startswith("execute_tool")]
    found = [
        {pair.key: pair.value.string_value for pair in span.attributes}.get("gen_ai.tool.call.result") for span in spans
    ]
    assert [span.name for span in spans] == ["execute_tool a", "execute_tool b", "execute_tool c", "execute_tool d"]
    assert found[:3] == ["first", "second", "third"]


def test_a_records_tool_calls_follow_each_other_within_its_time() -> None:
    """The tool calls of a record begin one after the other, none before the last has ended, all within its latency."""
    record = {"request_id": "r", "latency_ms": 1000, "tool_calls": ["a", "b", "c"]}
    ((_, request),) = parse(json.dumps(record).encode()).requests
    run, _, *tools = spans_of_request(request, AT_MS * 10**6)
    moments = [at for tool in tools for at in (tool.start_time_unix_nano, tool.end_time_unix_nano)]
    bounds = [run.start_time_unix_nano, *moments, run.end_time_unix_nano]
    assert bounds == sorted(set(bounds))
    assert run.end_time_unix_nano - run.start_time_unix_nano == 10**9


def test_a_record_without_a_latency_has_an_order_too() -> None:
    """Without a latency the tool calls still follow each other, microseconds apart, and the run ends after them."""
    ((_, request),) = parse(json.dumps({"request_id": "r", "tool_calls": ["a", "b"]}).encode()).requests
    run, _, *tools = spans_of_request(request, AT_MS * 10**6)
    moments = [at for tool in tools for at in (tool.start_time_unix_nano, tool.end_time_unix_nano)]
    assert moments == sorted(set(moments))
    assert moments[-1] < run.end_time_unix_nano < run.start_time_unix_nano + 10**6


def test_halves_of_characters_are_replaced() -> None:
    """Half an emoji becomes U+FFFD wherever it stands; whole ones and escaped backslashes stay as they are."""
    texts = rb'{"traceId":"a","timestamp":1,"eventType":"plan","data":["\ud83d","\ud83d\ude00","\\ud83d","\ude00x"]}'
    (alone,) = parse(texts).events
    assert alone[1].data == ["\ufffd", "\U0001f600", "\\ud83d", "\ufffdx"]
    assert [len(parse(body).events) for body in (b"[" + texts + b"," + texts + b"]", texts + b"\n" + texts)] == [2, 2]


def test_null_is_as_good_as_absent() -> None:
    """A field that is null counts as one that is not there, within tokensUsed too."""
    event = _event("plan", model=None, tags=None, latencyMs=None, tokensUsed={"input": None, "output": 3}, agent=None)
    assert event.tokens_used is not None
    assert (event.tokens_used.input, event.tokens_used.output, event.latency_ms, event.tags) == (0, 3, 0, [])
    record = {"request_id": "r", "timestamp": None, "tool_calls": None, "tool_results": None, "latency_ms": None}
    ((_, request),) = parse(json.dumps(record).encode()).requests
    assert (request.timestamp, request.tool_calls, request.tool_results, request.latency_ms) == (None, [], [], 0)


@pytest.mark.parametrize(
    ("written", "ms"),
    [
        ("2026-09-21T14:13:20.125Z", 1_790_000_000_125),
        ("2026-09-21T16:13:20.125+02:00", 1_790_000_000_125),
        ("2026-09-21 14:13:20", 1_790_000_000_000),
        ("1790000000125", 1_790_000_000_125),
    ],
)
def test_times_may_be_written_out(written: str, ms: int) -> None:
    """A timestamp may be ISO 8601, in UTC unless it says another zone, or ms as a text."""
    assert _event("plan", timestamp=written).timestamp == ms


def test_a_time_that_is_none_says_what_one_is() -> None:
    """The refusal of a timestamp names both forms it may have."""
    body = json.dumps({"traceId": "a", "eventType": "plan", "timestamp": "yesterday"}).encode()
    [refusal] = parse(body).rejected
    assert refusal.reason == "timestamp: 'yesterday' is neither ms since the epoch nor an ISO 8601 time"


def test_a_word_that_is_nearly_one_of_ours_is_asked_about() -> None:
    """An outcome or event type that is nearly right is refused with the right word."""
    body = json.dumps([{**_ITEM, "outcome": "complete"}, {**_ITEM, "eventType": "toolCall"}])
    reasons = [refusal.reason for refusal in parse(body.encode()).rejected]
    assert [reason.rpartition("; ")[2] for reason in reasons] == [
        "did you mean 'completed'?",
        "did you mean 'tool_call'?",
    ]


@pytest.mark.parametrize(
    ("said", "field", "meant"),
    [
        ({"tokenUsed": {"input": 1}}, "tokenUsed", "tokensUsed"),
        ({"usage": {"input_tokens": 1}}, "usage", "tokensUsed"),
        ({"tokensUsed": {"inputTokens": 1}}, "tokensUsed.inputTokens", "tokensUsed.input"),
        ({"tokensUsed": {"cache_read": 1}}, "tokensUsed.cache_read", "tokensUsed.cacheRead"),
        ({"customerid": "c"}, "customerid", "customerId"),
    ],
)
def test_fields_that_were_meant_to_be_read_are_named(said: dict[str, Any], field: str, meant: str) -> None:
    """What looks like a field of ours, or like tokens, is named with the field that was meant."""
    taken = parse(json.dumps([_ITEM, {**_ITEM, **said}, {**_ITEM, **said}]).encode())
    assert len(taken.events) == 3
    [ignored] = taken.ignored.list()
    assert (ignored.field, ignored.events, ignored.index) == (field, 2, 1)
    assert ignored.hint == f"it is not read; did you mean {meant}?"


def test_fields_of_the_senders_own_are_not_named() -> None:
    """A field that resembles none of ours is the sender's own business; a count of tokens never is."""
    own = {**_ITEM, "region": "eu", "sdk": {"version": 1}, "token_count": 7, "tokensUsed": {"thinking": 1}}
    fields = {ignored.field for ignored in parse(json.dumps(own).encode()).ignored.list()}
    assert fields == {"token_count", "tokensUsed.thinking"}


def test_naming_fields_is_bounded() -> None:
    """A body of thousands of odd fields gets an answer of no more than twenty."""
    odd = [{**_ITEM, **{f"token_{index}_{n}": 1 for n in range(20)}} for index in range(100)]
    assert len(parse(json.dumps(odd).encode()).ignored.list()) == 20


def test_a_record_of_a_thousand_tools_is_paired_in_one_pass() -> None:
    """The results of a large record that come in the opposite order still find their calls by id."""
    ids = [str(index) for index in range(1_000)]
    calls = [{"name": "a", "id": name} for name in ids]
    results = [{"tool_use_id": name, "result": name} for name in reversed(ids)]
    assert [result["result"] for _, result in paired(calls, results)] == ids


def test_what_began_before_the_retention_is_not_accepted() -> None:
    """An event is believed when it began and ended within the bounds; else it is refused, not lost later."""
    lasted = {"latencyMs": 2_000}
    taken = parse(json.dumps([_ITEM, {**_ITEM, **lasted}, {**_ITEM, "timestamp": AT_MS + 9_000}]).encode())
    disbelieve(taken, (AT_MS - 1_000) * 10**6, (AT_MS + 1_000) * 10**6)
    assert [index for index, _ in taken.events] == [0]
    assert [(refusal.index, refusal.reason.partition(":")[0]) for refusal in taken.rejected] == [
        (1, "latencyMs"),
        (2, "timestamp"),
    ]
