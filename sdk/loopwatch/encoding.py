"""From ended spans to one OTLP request: content settled, shared bytes reused. Runs on the exporter's thread."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from opentelemetry.sdk.trace import Event, ReadableSpan

from loopwatch import names, otlp, snapshots
from loopwatch.capture import KIND_OF, NOTHING, Capture
from loopwatch.faults import swallow
from loopwatch.settings import Settings
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


class Encoder:
    """Encodes ended spans for the wire.

    Args:
        resource: the attributes of the process's resource.
        settings: what may leave the process.
    """

    def __init__(self, resource: Mapping[str, Any], settings: Settings) -> None:
        self._resource = resource
        self._capture = settings.capture

    def encode(self, numbered: Sequence[tuple[int, ReadableSpan]]) -> tuple[bytes, int]:
        """Encodes spans as one ExportTraceServiceRequest.

        Args:
            numbered: ended spans, each with its number in the process, in which a gap shows a loss.

        Returns:
            The request's protobuf bytes, uncompressed, and how many spans could not be encoded.
        """
        by_scope: dict[tuple[str, str], list[bytes]] = {}
        unreadable = 0
        for seq, span in numbered:
            scope = span.instrumentation_scope
            key = ("", "") if scope is None else (scope.name, scope.version or "")
            try:
                encoded = self._span(seq, span)
            except Exception as fault:  # noqa: BLE001 - one span must not cost the others of its batch
                swallow("encode", fault)
                unreadable += 1
            else:
                by_scope.setdefault(key, []).append(encoded)
        scopes = [otlp.scope_spans(name, version, spans) for (name, version), spans in by_scope.items()]
        return otlp.resource_spans(self._resource, scopes), unreadable

    def _span(self, seq: int, span: ReadableSpan) -> bytes:
        own = isinstance(span, AgentSpan)
        capture = span.capture if own and span.capture is not None else self._capture
        encoded = _own_attributes(span, capture) if own else _foreign_attributes(span, capture)
        messages = "errors" in capture
        status = span.status
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
        encoded += otlp.attributes(otlp.ATTRIBUTE, settle(span.contents, capture))
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
        if name in HASH_OF:
            hash_name, bytes_name = HASH_OF[name]
            data = otlp.utf8(text)
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
