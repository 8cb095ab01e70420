"""One span of another library, and the row it becomes."""

import json
from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from loopwatch_collector.store.rows import SPAN_COLUMNS
from loopwatch_collector.write.contents import Contents
from loopwatch_collector.write.lean_spans import lean
from loopwatch_collector.write.normalise import blank_of, normalise, origin_of

START_NS = 1_790_000_000 * 10**9


def pair(key: str, value: Any) -> KeyValue:
    """An attribute; what OTLP has no type for as JSON text."""
    if isinstance(value, bool):
        return KeyValue(key=key, value=AnyValue(bool_value=value))
    if isinstance(value, int):
        return KeyValue(key=key, value=AnyValue(int_value=value))
    if isinstance(value, float):
        return KeyValue(key=key, value=AnyValue(double_value=value))
    if isinstance(value, list):
        items = [AnyValue(string_value=item) for item in value]
        return KeyValue(key=key, value=AnyValue(array_value=ArrayValue(values=items)))
    return KeyValue(key=key, value=AnyValue(string_value=value if isinstance(value, str) else json.dumps(value)))


def row_of(
    attributes: dict[str, Any],
    *,
    scope: str = "",
    name: str = "span",
    parent: bytes = b"\x09" * 8,
    status: Status | None = None,
    events: list[tuple[str, dict[str, Any]]] | None = None,
) -> dict[str, Any]:
    """The row of one span, by column; `contents` holds its bodies by role."""
    span = Span(
        trace_id=b"\x01" * 16,
        span_id=b"\x02" * 8,
        parent_span_id=parent,
        name=name,
        start_time_unix_nano=START_NS,
        end_time_unix_nano=START_NS + 10**9,
        attributes=[pair(key, value) for key, value in attributes.items()],
        status=status,
        events=[
            Span.Event(name=event, attributes=[pair(key, value) for key, value in found.items()])
            for event, found in events or []
        ],
    )
    contents = Contents(set())
    values = normalise(lean(span), blank_of(origin_of(Resource(), "p", 1), scope), contents)
    row = dict(zip((column.name for column in SPAN_COLUMNS), values, strict=True))
    bodies = {digest: body for (_, _, digest, _), body in contents.bodies.items()}
    row["contents"] = {
        role: [
            _text(bodies[digest])
            for at, digest in zip(row["content_roles"], row["content_hashes"], strict=True)
            if at == role
        ]
        for role in row["content_roles"]
    }
    return row


def _text(body: str | bytes) -> str:
    return body.decode() if isinstance(body, bytes) else body
