"""From ended spans to one OTLP request: content settled, shared bytes reused. Runs on the exporter's thread."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from opentelemetry.sdk.trace import Event, ReadableSpan

from loopwatch import names, otlp, snapshots
from loopwatch.capture import KIND_OF, NOTHING, Capture
from loopwatch.snapshots import Snapshot
from loopwatch.spans import AgentSpan

HASH_OF: Final = {
    names.INPUT: (names.INPUT_HASH, names.INPUT_BYTES),
    names.OUTPUT: (names.OUTPUT_HASH, names.OUTPUT_BYTES),
    names.TOOL_ARGUMENTS: (names.TOOL_ARGUMENTS_HASH, names.TOOL_ARGUMENTS_BYTES),
    names.TOOL_RESULT: (names.TOOL_RESULT_HASH, names.TOOL_RESULT_BYTES),
}


def digest(text: bytes) -> str:
    """Returns 16 hexadecimal digits that are equal for equal content."""
    return hashlib.blake2b(text, digest_size=8).hexdigest()


def encode(numbered: Sequence[tuple[int, ReadableSpan]], resource: Mapping[str, Any], capture: Capture) -> bytes:
    """Encodes spans as one ExportTraceServiceRequest.

    Args:
        numbered: ended spans, each with its number in the process.
        resource: the attributes of the process's resource.
        capture: the kinds of content that may leave the process, where the span does not say otherwise.

    Returns:
        The request's protobuf bytes, uncompressed.
    """
    by_scope: dict[tuple[str, str], list[bytes]] = {}
    for seq, span in numbered:
        scope = span.instrumentation_scope
        key = ("", "") if scope is None else (scope.name, scope.version or "")
        by_scope.setdefault(key, []).append(_span(seq, span, capture))
    scopes = [otlp.scope_spans(name, version, spans) for (name, version), spans in by_scope.items()]
    return otlp.resource_spans(resource, scopes)


def _span(seq: int, span: ReadableSpan, capture: Capture) -> bytes:
    encoded = _own_attributes(span, capture) if isinstance(span, AgentSpan) else _foreign_attributes(span, capture)
    status = span.status
    messages = "errors" in capture
    return otlp.span(
        span.name,
        span.get_span_context(),
        span.parent,
        span.kind,
        span.start_time or 0,
        span.end_time or 0,
        encoded + otlp.attribute(otlp.ATTRIBUTE, names.SEQ, seq),
        span.events if messages else _without_messages(span.events),
        span.links,
        status.status_code,
        (status.description or "") if messages else "",
    )


def _own_attributes(span: AgentSpan, capture: Capture) -> bytes:
    encoded = otlp.attributes(otlp.ATTRIBUTE, span.own)
    if span.scope is not None:
        if span.scope.encoded is None:
            span.scope.encoded = otlp.attributes(otlp.ATTRIBUTE, span.scope.attributes)
        encoded = span.scope.encoded + encoded
    if span.contents is not None:
        chosen = capture if span.capture is None else span.capture
        encoded += otlp.attributes(otlp.ATTRIBUTE, settle(span.contents, chosen))
    return encoded


def settle(contents: Mapping[str, Snapshot], capture: Capture) -> dict[str, Any]:
    """Spells contents out.

    Args:
        contents: snapshots by attribute name.
        capture: the kinds of content that may leave the process.

    Returns:
        Attributes: hash and size of each content, always; the content itself where it may leave.
    """
    settled: dict[str, Any] = {}
    for name, snapshot in contents.items():
        text = snapshots.as_text(snapshot)
        data = otlp.utf8(text)
        if name in HASH_OF:
            hash_name, bytes_name = HASH_OF[name]
            settled[hash_name] = digest(data)
            settled[bytes_name] = len(data)
        if KIND_OF[name] in capture:
            settled[name] = text
    return settled


def _foreign_attributes(span: ReadableSpan, capture: Capture) -> bytes:
    attributes = dict(span.attributes or {})
    if capture is not NOTHING:
        return otlp.attributes(otlp.ATTRIBUTE, attributes)
    return otlp.attributes(
        otlp.ATTRIBUTE,
        {name: value for name, value in attributes.items() if name not in KIND_OF or KIND_OF[name] in capture},
    )


def _without_messages(events: Iterable[Event]) -> list[Event]:
    """Exceptions keep their type and lose what they say."""
    return [_plain_event(event) if event.name == "exception" else event for event in events]


def _plain_event(event: Event) -> Event:
    kept = {name: value for name, value in (event.attributes or {}).items() if name == "exception.type"}
    return Event(event.name, kept, event.timestamp)
