"""OTLP values as Python values, whatever senders write."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList

from loopwatch_collector.write import values


def _value(value: Any) -> AnyValue:
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value)
    if isinstance(value, float):
        return AnyValue(double_value=value)
    if isinstance(value, str):
        return AnyValue(string_value=value)
    if isinstance(value, bytes):
        return AnyValue(bytes_value=value)
    if isinstance(value, list):
        return AnyValue(array_value=ArrayValue(values=[_value(item) for item in value]))
    if isinstance(value, dict):
        return AnyValue(kvlist_value=KeyValueList(values=[KeyValue(key=k, value=_value(v)) for k, v in value.items()]))
    return AnyValue()


_ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats()
    | st.text(max_size=20)
    | st.binary(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
READERS = (
    values.text, values.count, values.flag, values.usd, values.texts, values.first_text, values.json_object,
    values.unquoted, values.content, values.seconds_as_ns, values.milliseconds_as_ns, values.attribute_text,
)  # fmt: skip


@given(_ANY)
def test_no_value_makes_a_reader_fail(value: Any) -> None:
    """Every reader gives a value of its type or None for whatever a sender writes."""
    for read in READERS:
        read(_value(value))


@given(_ANY)
def test_counts_are_whole_and_bounded(value: Any) -> None:
    """A count is None or a whole number from 0 to the bound that keeps sums of costs in range."""
    found = values.count(_value(value))
    assert found is None or (isinstance(found, int) and 0 <= found <= values.MAX_COUNT)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (7, 7),
        ("7", 7),
        (7.0, 7),
        ("7.0", 7),
        (0, 0),
        (-1, None),
        (10**15, None),
        ("many", None),
        (True, None),
        (None, None),
    ],
)
def test_counts_are_read_from_texts_and_floats(said: Any, expected: int | None) -> None:
    """Senders write counts as numbers, texts or floats; what is no believable count is left to the attributes."""
    assert values.count(_value(said)) == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [(["stop"], ("stop",)), ('["tool_use"]', ("tool_use",)), ("stop", ("stop",)), ([1, None, "a"], ("1", "a")),
     ("", None), ({}, None)],
)  # fmt: skip
def test_texts_come_as_arrays_json_or_one_text(said: Any, expected: tuple[str, ...] | None) -> None:
    """Finish reasons come as an array, as JSON within a text, or as one text."""
    assert values.texts(_value(said)) == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (0.1, "0.100000000000"),
        ("0.0112368", "0.011236800000"),
        (3, "3.000000000000"),
        (-1, None),
        ("free", None),
        (1e9, None),
    ],
)
def test_money_is_decimal_to_the_picodollar(said: Any, expected: str | None) -> None:
    """A float's shortest form is what was meant; amounts below zero or beyond belief are no cost."""
    assert values.usd(_value(said)) == (None if expected is None else Decimal(expected))


def test_nested_values_keep_their_structure() -> None:
    """A structured attribute is kept as the JSON a sender of texts would have written."""
    assert values.content(_value({"a": [1, "b", True, {"c": 2.5}]})) == b'{"a":[1,"b",true,{"c":2.5}]}'
    assert values.attribute_text(_value(b"hi")) == "aGk="
    assert values.attribute_text(_value(False)) == "false"
