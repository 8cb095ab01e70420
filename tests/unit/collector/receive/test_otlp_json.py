"""OTLP/JSON, where it deviates from protobuf's mapping."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from loopwatch_collector.errors import RequestRefused, TooLarge
from loopwatch_collector.receive.otlp_json import parse

TRACE = "5B8EFFF798038103D269B633813FC60C"


def _span(**fields: Any) -> Any:
    body = {
        "resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": TRACE, "spanId": "eee19b7ec3c1b174", **fields}]}]}]
    }
    request = parse(json.dumps(body).encode(), ExportTraceServiceRequest())
    return request.resource_spans[0].scope_spans[0].spans[0]


def test_ids_are_hex_in_any_case() -> None:
    """Ids are hex, upper or lower case, and never read as base64."""
    span = _span(parentSpanId="00F067AA0BA902B7", links=[{"traceId": TRACE.lower(), "spanId": "00f067aa0ba902b7"}])
    assert span.trace_id.hex().upper() == TRACE
    assert span.parent_span_id.hex() == span.links[0].span_id.hex() == "00f067aa0ba902b7"


@pytest.mark.parametrize("value", ["1544712660000000000", 1544712660000000000])
def test_64_bit_numbers_are_texts_or_numbers(value: str | int) -> None:
    """Times come as text or as numbers."""
    assert _span(startTimeUnixNano=value).start_time_unix_nano == 1544712660000000000


def test_unknown_fields_are_ignored() -> None:
    """Fields of later versions do not fail the request."""
    assert _span(fieldOfTheFuture={"a": 1}).span_id


def test_nested_values_are_kept() -> None:
    """Maps, lists, bytes, doubles that JSON cannot write, and empty values are read."""
    attributes = [
        {"key": "map", "value": {"kvlistValue": {"values": [{"key": "a", "value": {"arrayValue": {
            "values": [{"boolValue": True}, {"intValue": "7"}]}}}]}}},
        {"key": "nan", "value": {"doubleValue": "NaN"}},
        {"key": "bytes", "value": {"bytesValue": "aGk="}},
        {"key": "empty", "value": {}},
        {"key": "absent"},
    ]  # fmt: skip
    found = {pair.key: pair.value for pair in _span(attributes=attributes).attributes}
    inner = found["map"].kvlist_value.values[0].value.array_value.values
    assert (inner[0].bool_value, inner[1].int_value) == (True, 7)
    assert found["nan"].double_value != found["nan"].double_value
    assert found["bytes"].bytes_value == b"hi"
    assert found["empty"].WhichOneof("value") is found["absent"].WhichOneof("value") is None


@pytest.mark.parametrize("wrong", ["xyz", "123", "é"])
def test_id_that_is_not_hex_leaves_the_rest(wrong: str) -> None:
    """A wrong id becomes an empty one, for the screening to reject that span alone."""
    assert _span(spanId=wrong).span_id == b""


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"1", b"{", b'{"resourceSpans": 5}', b'{"resourceSpans":[5]}',
                                  b"\xff",
                                  b'{"resourceSpans":' + b"[" * 5_000 + b"]" * 5_000 + b"}"])  # fmt: skip
def test_what_is_not_otlp_is_refused(body: bytes) -> None:
    """Wrong JSON, wrong shapes and bottomless nesting are refused."""
    with pytest.raises(RequestRefused):
        parse(body, ExportTraceServiceRequest())


def test_half_a_character_loses_nothing_but_itself() -> None:
    """Half an emoji in one text becomes U+FFFD; the batch is kept."""
    assert _span(name="cut \ud83d").name == "cut \ufffd"
    assert _span(name="\U0001f600 \\ud83d").name == "\U0001f600 \\ud83d"


def test_bodies_of_nothing_but_braces_are_refused() -> None:
    """A small body that would cost seconds to parse is refused before it is."""
    body = b'{"resourceSpans":[' + b",".join([b"{}"] * 400_000) + b"]}"
    with pytest.raises(TooLarge):
        parse(body, ExportTraceServiceRequest())


_KEYS = ("resourceSpans", "scopeSpans", "spans", "traceId", "attributes", "key", "value", "events", "kind", "x")
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(_KEYS), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@given(_JSON)
def test_any_json_is_read_or_refused(value: Any) -> None:
    """No JSON makes the parser fail otherwise than by refusing."""
    try:
        parse(json.dumps(value).encode("utf-8", "surrogatepass"), ExportTraceServiceRequest())
    except RequestRefused:
        return
