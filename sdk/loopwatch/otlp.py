"""Spans as OTLP protobuf bytes, written directly.

The wire format is small (opentelemetry-proto, trace/v1 and common/v1) and building a message object per
attribute is what costs most in the usual encoder. Bytes that many spans share, such as a run's
attributes, are written once.
"""

from collections.abc import Iterable, Mapping, Sequence
from struct import pack
from typing import Any

from opentelemetry.sdk.trace import Event
from opentelemetry.trace import Link, StatusCode

from loopwatch import names

_STATUS = {StatusCode.UNSET: 0, StatusCode.OK: 1, StatusCode.ERROR: 2}
ATTRIBUTE = b"\x4a"
"""The tag of an attribute in a Span (field 9)."""
_HAS_REMOTE, _IS_REMOTE = 0x100, 0x200


def varint(number: int) -> bytes:
    """Returns a non-negative integer below 2**64 as a protobuf varint."""
    if number < 0x80:
        return _ONE_BYTE[number]
    if number < 0x4000:
        return bytes((number & 0x7F | 0x80, number >> 7))
    parts = bytearray()
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    parts.append(number)
    return bytes(parts)


_ONE_BYTE = [bytes((number,)) for number in range(0x80)]


def field(tag: bytes, body: bytes) -> bytes:
    """Returns a length-delimited field."""
    return tag + varint(len(body)) + body


def utf8(text: str) -> bytes:
    """Returns UTF-8, with lone surrogates replaced: protobuf text must be valid."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")


def any_value(value: Any) -> bytes:
    """Returns the body of an AnyValue."""
    if isinstance(value, str):
        return field(b"\x0a", utf8(value))
    if isinstance(value, bool):
        return b"\x10\x01" if value else b"\x10\x00"
    if isinstance(value, int):
        return b"\x18" + varint(value & 0xFFFFFFFFFFFFFFFF) if -(1 << 63) <= value < 1 << 63 else any_value(str(value))
    if isinstance(value, float):
        return b"\x21" + pack("<d", value)
    if isinstance(value, bytes):
        return field(b"\x3a", value)
    if issubclass(type(value), Mapping):
        return field(b"\x32", attributes(b"\x0a", value))
    if issubclass(type(value), Sequence):
        return field(b"\x2a", b"".join(field(b"\x0a", any_value(item)) for item in value))
    return b"" if value is None else any_value(str(value))


def attribute(tag: bytes, key: str, value: object) -> bytes:
    """Returns one KeyValue as the field `tag`."""
    name = _KEYS.get(key) or _key(key)
    if type(value) is str:
        text = utf8(value)
        size = varint(len(text))
        inner = b"\x0a" + size + text
    else:
        inner = any_value(value)
    body = name + b"\x12" + varint(len(inner)) + inner
    return tag + varint(len(body)) + body


_KEYS: dict[str, bytes] = {}
_MAX_KEYS = 4096


def _key(key: str) -> bytes:
    """The key's own field, kept for the next time: there are few distinct ones."""
    encoded = field(b"\x0a", utf8(key))
    if len(_KEYS) < _MAX_KEYS:
        _KEYS[key] = encoded
    return encoded


def own_attributes(values: Mapping[str, object]) -> bytes:
    """Returns a span's attributes of ours, in which names have few values, and those are written once."""
    parts: list[bytes] = []
    for key, value in values.items():
        if key in _FEW_VALUES:
            encoded = _PAIRS.get((key, value))
            if encoded is None:
                encoded = attribute(ATTRIBUTE, key, value)
                if len(_PAIRS) < _MAX_KEYS:
                    _PAIRS[key, value] = encoded
            parts.append(encoded)
        else:
            parts.append(attribute(ATTRIBUTE, key, value))
    return b"".join(parts)


_FEW_VALUES = frozenset(
    {
        names.OPERATION_NAME,
        names.PROVIDER_NAME,
        names.REQUEST_MODEL,
        names.RESPONSE_MODEL,
        names.TOOL_NAME,
        names.TOOL_OUTCOME,
        names.KIND,
        names.STEP,
    }
)
_PAIRS: dict[tuple[str, object], bytes] = {}


def attributes(tag: bytes, values: Mapping[str, object]) -> bytes:
    """Returns each attribute as a KeyValue in the repeated field `tag`."""
    return b"".join([attribute(tag, key, value) for key, value in values.items()])


def event(recorded: Event) -> bytes:
    """Returns one span event as field 11 of a Span."""
    body = b"\x09" + pack("<Q", recorded.timestamp) + field(b"\x12", utf8(recorded.name))
    return field(b"\x5a", body + attributes(b"\x1a", recorded.attributes or {}))


def link(to: Link) -> bytes:
    """Returns one link as field 13 of a Span."""
    body = field(b"\x0a", to.context.trace_id.to_bytes(16, "big")) + field(
        b"\x12", to.context.span_id.to_bytes(8, "big")
    )
    return field(b"\x6a", body + attributes(b"\x22", to.attributes or {}))


def span(
    name: str,
    trace_id: int,
    span_id: int,
    parent_id: int,
    kind: int,
    start_time: int,
    end_time: int,
    encoded_attributes: bytes,
    *,
    is_parent_remote: bool = False,
    trace_state: str = "",
    events: Iterable[Event] = (),
    links: Iterable[Link] = (),
    status_code: StatusCode = StatusCode.UNSET,
    status_message: str = "",
) -> bytes:
    """Returns one span as field 2 of a ScopeSpans.

    Args:
        name: the span's name.
        trace_id: of 128 bits.
        span_id: of 64 bits.
        parent_id: the parent's, or 0.
        kind: the value of its `SpanKind`.
        start_time: ns since the epoch.
        end_time: ns since the epoch.
        encoded_attributes: what `attributes(ATTRIBUTE, ...)` returned, joined.
        is_parent_remote: whether the parent is another process's.
        trace_state: the W3C header's value, or "".
        events: its events.
        links: its links.
        status_code: its status.
        status_message: the status's description, or "".
    """
    body = [b"\x0a\x10", trace_id.to_bytes(16, "big"), b"\x12\x08", span_id.to_bytes(8, "big")]
    if trace_state:
        body.append(field(b"\x1a", utf8(trace_state)))
    if parent_id:
        body += (b"\x22\x08", parent_id.to_bytes(8, "big"))
    flags = _HAS_REMOTE | _IS_REMOTE if is_parent_remote else _HAS_REMOTE
    body += (field(b"\x2a", utf8(name)), b"\x30", _ONE_BYTE[kind + 1])  # the wire's 0 is "unspecified"
    body += (b"\x39", pack("<Q", start_time), b"\x41", pack("<Q", end_time), encoded_attributes)
    body += [event(recorded) for recorded in events]
    body += [link(to) for to in links]
    if status_code is not StatusCode.UNSET:
        message = field(b"\x12", utf8(status_message)) if status_message else b""
        body.append(field(b"\x7a", message + b"\x18" + _ONE_BYTE[_STATUS[status_code]]))
    body += (b"\x85\x01", pack("<I", flags))
    return field(b"\x12", b"".join(body))


def scope_spans(name: str, version: str, encoded_spans: Iterable[bytes]) -> bytes:
    """Returns the spans of one instrumentation scope as field 2 of a ResourceSpans."""
    scope = field(b"\x0a", utf8(name)) + (field(b"\x12", utf8(version)) if version else b"")
    return field(b"\x12", field(b"\x0a", scope) + b"".join(encoded_spans))


def resource_spans(resource: Mapping[str, object], encoded_scopes: Iterable[bytes]) -> bytes:
    """Returns the spans of one process as field 1 of an ExportTraceServiceRequest."""
    return field(b"\x0a", field(b"\x0a", attributes(b"\x0a", resource)) + b"".join(encoded_scopes))
