"""Attributes read from their bytes mean what the alias table says of them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList

from loopwatch_collector.write import lean_spans, values
from loopwatch_collector.write.aliases import SLOTS, Aliases, aliases_of
from loopwatch_collector.write.attributes import NO_FIELD, REMEMBERED_BYTES, Reading, Readings, readings_of
from tests.compat.payload import read_all

_DIALECTS = ("", "loopwatch", "claude_code", "logfire", "vercel", "strands", "genkit")
_KEYS = sorted({key for dialect in _DIALECTS for key in aliases_of(dialect)})
_TEXT = st.text(st.characters(codec="utf-8"), max_size=20) | st.sampled_from(
    ["", "chat", "12", "1.5", "true", '["a","b"]', '{"input_tokens":3}', '"x"']
)
_VALUE = st.recursive(
    st.builds(AnyValue)
    | st.builds(AnyValue, string_value=_TEXT)
    | st.builds(AnyValue, int_value=st.integers(-(2**63), 2**63 - 1) | st.integers(0, 300))
    | st.builds(AnyValue, double_value=st.floats())
    | st.builds(AnyValue, bool_value=st.booleans())
    | st.builds(AnyValue, bytes_value=st.binary(max_size=8)),
    lambda inner: (
        st.builds(AnyValue, array_value=st.builds(ArrayValue, values=st.lists(inner, max_size=3)))
        | st.builds(
            AnyValue,
            kvlist_value=st.builds(
                KeyValueList, values=st.lists(st.builds(KeyValue, key=_TEXT, value=inner), max_size=3)
            ),
        )
    ),
    max_leaves=6,
)
_PAIR = st.builds(
    KeyValue,
    key=_TEXT | st.sampled_from([*_KEYS, "gen_ai.prompt.0.content", "llm.tools.", "k" * 127, "k" * 128]),
    value=st.none() | _VALUE,
)


def _meaning(dialect: str, pair: KeyValue) -> Reading:
    """What the alias table says, read through protobuf's own objects."""
    alias = aliases_of(dialect)[pair.key]
    text = values.attribute_text(pair.value)[:32_768]
    if alias is None:
        return NO_FIELD, 0, None, pair.key[:1_024], text
    found = alias.read(pair.value)
    return alias.slot, alias.rank, found, pair.key, text if found is None and alias.rank >= 0 else ""


@given(dialect=st.sampled_from(_DIALECTS), pair=_PAIR)
def test_bytes_mean_what_the_alias_table_says(dialect: str, pair: KeyValue) -> None:
    """Whatever the attribute, its bytes are read as its message would be, the first time and from memory."""
    raw = pair.SerializeToString()
    expected = repr(_meaning(dialect, pair))  # NaN is equal to itself only there
    readings = Readings(aliases_of(dialect))
    assert [repr(found) for found in (readings.read(raw), readings[raw], readings[raw])] == [expected] * 3


@pytest.mark.parametrize("text", ["é" * 600, *("z" * size for size in (126, 127, 128, 1_025, 16_383, 16_384, 40_000))])
@pytest.mark.parametrize("key", ["gen_ai.input.messages", "user.id", "other"])
def test_long_texts_mean_what_the_alias_table_says(key: str, text: str) -> None:
    """The same where lengths take more bytes, and where texts are cut."""
    pair = KeyValue(key=key, value=AnyValue(string_value=text))
    assert readings_of("loopwatch").read(pair.SerializeToString()) == _meaning("loopwatch", pair)


def test_recorded_attributes_mean_what_the_alias_table_says() -> None:
    """The same for every attribute that a library was seen to send."""
    for payload in read_all():
        for request in payload.trace_requests():
            for scope in (scope for part in request.resource_spans for scope in part.scope_spans):
                for pair in (pair for span in scope.spans for pair in span.attributes):
                    assert readings_of(payload.dialect)[pair.SerializeToString()] == _meaning(payload.dialect, pair)


@pytest.mark.parametrize(
    "raw",
    [
        b"\x12\x06\x0a\x04chat" + b"\x0a\x15gen_ai.operation.name",  # the value first
        b"\x0a\x01x" + b"\x0a\x15gen_ai.operation.name" + b"\x12\x06\x0a\x04chat",  # two keys: the last counts
        b"\x0a\x15gen_ai.operation.name" + b"\x12\x06\x0a\x04chat" + b"\x18\x07",  # a field of a later version
        b"\x0a\x95\x00gen_ai.operation.name" + b"\x12\x06\x0a\x04chat",  # a length in more bytes than it needs
        b"\x0a\x15gen_ai.operation.name" + b"\x12\x09\x0a\x01x\x0a\x04chat",  # two texts: the last counts
    ],
)
def test_unusual_encodings_are_read_too(raw: bytes) -> None:
    """What protobuf allows and no usual encoder writes means the same."""
    assert Readings(aliases_of("otel"))[raw][:3] == (SLOTS["kind"], 3, "model_call")


def test_what_is_remembered_is_bounded() -> None:
    """Attributes that never repeat do not fill the memory, and the ones that do are still read after them."""
    readings = Readings(aliases_of(""))
    for number in range(50_000):
        assert readings[KeyValue(key="user.id", value=AnyValue(string_value=str(number))).SerializeToString()][
            2
        ] == str(number)
    assert len(readings) <= 20_000


def test_structures_are_made_anew_for_each_span() -> None:
    """Messages are built up from flat attributes in place: two spans must not share one structure."""
    structure: Any = KeyValueList(values=[KeyValue(key="role", value=AnyValue(string_value="user"))])
    pair = KeyValue(key="llm.input_messages.0.message", value=AnyValue(kvlist_value=structure))
    raw = pair.SerializeToString()
    readings = Readings(aliases_of(""))
    assert len(raw) <= REMEMBERED_BYTES
    assert readings[raw][2] == readings[raw][2]
    assert readings[raw][2] is not readings[raw][2]


def test_lean_requests_keep_everything() -> None:
    """A request read with attributes as bytes is written as the same bytes, whoever sent it."""
    for payload in read_all():
        for request in payload.trace_requests():
            body = request.SerializeToString(deterministic=True)
            lean = lean_spans.request_class().FromString(body)
            again = ExportTraceServiceRequest.FromString(lean.SerializeToString())
            assert again == request


def test_long_keys_are_read_and_not_kept() -> None:
    """A key of two megabytes leaves nothing behind in memory; a short one, and what it means, is remembered."""
    aliases = Aliases()
    short = "llm.input_messages.0.message.role"
    assert aliases["llm.input_messages." + "k" * 2_000_000] == aliases[short] is not None
    assert aliases["x" * 257] is None
    assert set(aliases) == {short}
