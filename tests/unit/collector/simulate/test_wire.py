from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from loopwatch_collector.simulate import wire


def _read(encoded: bytes) -> list[KeyValue]:
    return list(Span.FromString(encoded).attributes)


def test_each_kind_of_attribute_is_what_protobuf_reads() -> None:
    """Text, lists, integers, truth values and doubles written by hand equal the generated classes' own."""
    encoded = (
        wire.text("a", "ü€")
        + wire.texts("b", ["x", ""])
        + wire.integer("c", 1 << 62)
        + wire.boolean("d", False)
        + wire.double("e", -0.5)
    )
    expected = [
        KeyValue(key="a", value=AnyValue(string_value="ü€")),
        KeyValue(
            key="b",
            value=AnyValue(array_value=ArrayValue(values=[AnyValue(string_value="x"), AnyValue(string_value="")])),
        ),
        KeyValue(key="c", value=AnyValue(int_value=1 << 62)),
        KeyValue(key="d", value=AnyValue(bool_value=False)),
        KeyValue(key="e", value=AnyValue(double_value=-0.5)),
    ]
    assert _read(encoded) == expected
    assert encoded == Span(attributes=expected).SerializeToString()


def test_a_prepared_integer_attribute_holds_any_size_of_number() -> None:
    """The bytes before the number change with its length: every length of varint is read back."""
    encode = wire.integers("n")
    numbers = [0, 1, 127, 128, 16_383, 16_384, 2**31, 2**53, 2**63 - 1]
    assert [_read(encode(number))[0].value.int_value for number in numbers] == numbers


def test_a_prepared_text_attribute_takes_text_of_its_length() -> None:
    """What precedes a text of fixed length, followed by such a text, is one attribute."""
    encoded = wire.texts_of_length("id", 300) + b"x" * 300
    assert _read(encoded)[0].value.string_value == "x" * 300


def test_long_texts_have_long_lengths() -> None:
    """A length of several bytes is written where the text needs it."""
    assert _read(wire.text("long", "y" * 40_000))[0].value.string_value == "y" * 40_000


def test_events_and_errors_are_what_protobuf_reads() -> None:
    """An event keeps its name, time and attributes; a status keeps its code and message."""
    attributes = wire.text("k", "v", wire.EVENT_ATTRIBUTE)
    span = Span.FromString(wire.event("loopwatch.loop", 17, attributes) + wire.error_status(b"no answer"))
    assert (span.events[0].name, span.events[0].time_unix_nano) == ("loopwatch.loop", 17)
    assert span.events[0].attributes[0].value.string_value == "v"
    assert (span.status.code, span.status.message) == (Status.STATUS_CODE_ERROR, "no answer")
    assert Span.FromString(wire.error_status(b"")).status.code == Status.STATUS_CODE_ERROR
