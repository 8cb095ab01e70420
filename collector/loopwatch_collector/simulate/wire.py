"""OTLP protobuf assembled from bytes, because a message object per attribute costs ten times as much.

Field numbers are those of opentelemetry-proto: trace/v1 and common/v1. What repeats is encoded once: an attribute
whose value varies is an encoder made for its key.
"""

from collections.abc import Callable, Iterable
from struct import Struct
from typing import Final

SPAN_ATTRIBUTE: Final = b"\x4a"
EVENT_ATTRIBUTE: Final = b"\x1a"
RESOURCE_ATTRIBUTE: Final = b"\x0a"

INTERNAL: Final = 1
CLIENT: Final = 3
"""OpenTelemetry kinds of spans."""

NO_PARENT_FLAGS: Final = b"\x85\x01\x00\x01\x00\x00"  # 0x100: whether the parent is remote is known, and it is not
ERROR_STATUS: Final = b"\x7a\x02\x18\x02"

pack_times: Final = Struct("<BQBQ").pack  # (0x39, start_ns, 0x41, end_ns)
pack_double = Struct("<d").pack
_pack_event_time = Struct("<BQ").pack

Encoder = Callable[[int], bytes]


def _varint(number: int) -> bytes:
    parts = bytearray()
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    parts.append(number)
    return bytes(parts)


_VARINTS: Final = tuple(_varint(number) for number in range(1 << 14))


def varint(number: int) -> bytes:
    """Returns a non-negative integer as a protobuf varint."""
    return _VARINTS[number] if number < 16_384 else _varint(number)


def delimited(tag: bytes, body: bytes) -> bytes:
    """Returns a field that is text, bytes or a message."""
    return tag + varint(len(body)) + body


def _key_value(tag: bytes, key: str, value: bytes) -> bytes:
    return delimited(tag, delimited(b"\x0a", key.encode()) + delimited(b"\x12", value))


def text(key: str, value: str | bytes, tag: bytes = SPAN_ATTRIBUTE) -> bytes:
    """Returns an attribute whose value is text."""
    return _key_value(tag, key, delimited(b"\x0a", value.encode() if isinstance(value, str) else value))


def texts(key: str, values: Iterable[str], tag: bytes = SPAN_ATTRIBUTE) -> bytes:
    """Returns an attribute whose value is a list of texts."""
    items = b"".join(delimited(b"\x0a", delimited(b"\x0a", value.encode())) for value in values)
    return _key_value(tag, key, delimited(b"\x2a", items))


def integer(key: str, value: int, tag: bytes = SPAN_ATTRIBUTE) -> bytes:
    """Returns an attribute whose value is a non-negative integer."""
    return _key_value(tag, key, b"\x18" + varint(value))


def boolean(key: str, value: bool, tag: bytes = SPAN_ATTRIBUTE) -> bytes:
    """Returns an attribute whose value is true or false."""
    return _key_value(tag, key, b"\x10\x01" if value else b"\x10\x00")


def double(key: str, value: float, tag: bytes = SPAN_ATTRIBUTE) -> bytes:
    """Returns an attribute whose value is a floating-point number."""
    return _key_value(tag, key, b"\x21" + pack_double(value))


def integers(key: str) -> Encoder:
    """Makes the encoder of an attribute of spans whose value is a non-negative integer."""
    # The bytes before the number depend on how many bytes the number takes, and on nothing else.
    prefixes = tuple(_key_value(SPAN_ATTRIBUTE, key, b"\x18" + b"\x00" * length)[:-length] for length in range(1, 11))

    def encode(number: int) -> bytes:
        encoded = _VARINTS[number] if number < 16_384 else _varint(number)
        return prefixes[len(encoded) - 1] + encoded

    return encode


def texts_of_length(key: str, length: int) -> bytes:
    """Returns what precedes the value of an attribute of spans whose value is text of a fixed length in bytes."""
    return _key_value(SPAN_ATTRIBUTE, key, delimited(b"\x0a", b"\x00" * length))[:-length]


def double_prefix(key: str) -> bytes:
    """Returns what precedes the eight bytes of a floating-point attribute of spans."""
    return double(key, 0.0)[:-8]


def event(name: str, time_ns: int, attributes: bytes) -> bytes:
    """Returns a span event.

    Args:
        name: its name.
        time_ns: ns since the epoch.
        attributes: encoded with the tag `EVENT_ATTRIBUTE`.
    """
    return delimited(b"\x5a", _pack_event_time(0x09, time_ns) + delimited(b"\x12", name.encode()) + attributes)


def error_status(message: bytes) -> bytes:
    """Returns the status of a span that failed."""
    return delimited(b"\x7a", delimited(b"\x12", message) + b"\x18\x02") if message else ERROR_STATUS


def name_and_kind(name: str, kind: int) -> bytes:
    """Returns a span's name and its OpenTelemetry kind (`INTERNAL`, `CLIENT`)."""
    return delimited(b"\x2a", name.encode()) + b"\x30" + varint(kind)


def scope_spans(name: str, version: str, spans: Iterable[bytes]) -> bytes:
    """Returns the spans of one instrumentation scope, of a ResourceSpans."""
    scope = delimited(b"\x0a", name.encode()) + (delimited(b"\x12", version.encode()) if version else b"")
    return delimited(b"\x12", delimited(b"\x0a", scope) + b"".join(spans))


def resource_spans(resource_attributes: bytes, scopes: Iterable[bytes]) -> bytes:
    """Returns the spans of one process, of an ExportTraceServiceRequest."""
    return delimited(b"\x0a", delimited(b"\x0a", resource_attributes) + b"".join(scopes))
