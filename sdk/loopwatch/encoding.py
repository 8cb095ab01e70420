"""From ended spans to one OTLP request, the bytes that spans share written once. Runs on the exporter's thread."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from opentelemetry.sdk.trace import ReadableSpan

from loopwatch import names, otlp
from loopwatch.capture import Capture
from loopwatch.content import ContentRules
from loopwatch.faults import swallow
from loopwatch.spans import AgentSpan

SPANS_A_BREATH: Final = 24
"""About half a millisecond of work. Python would let an agent's thread wait for ten times as long."""


class Ended(NamedTuple):
    """An ended span.

    Args:
        seq: its number in the process, in which a gap shows a loss.
        span: the span.
        capture: what its run says may leave, or None for the process's choice.
    """

    seq: int
    span: ReadableSpan
    capture: Capture | None


class Encoder:
    """Encodes ended spans for the wire.

    Args:
        resource: the attributes of the process's resource.
        rules: what may leave the process.
    """

    def __init__(self, resource: Mapping[str, Any], rules: ContentRules) -> None:
        self._resource = resource
        self._rules = rules

    def encode(self, spans: Sequence[Ended], breathe: Callable[[], None] | None = None) -> tuple[bytes, int]:
        """Encodes spans as one ExportTraceServiceRequest.

        Args:
            spans: ended spans.
            breathe: called now and then, so that an agent's thread that wants to go on may.

        Returns:
            The request's protobuf bytes, uncompressed, and how many spans could not be encoded.
        """
        by_scope: dict[tuple[str, str], list[bytes]] = {}
        unreadable = 0
        for number, ended in enumerate(spans):
            if breathe is not None and number % SPANS_A_BREATH == SPANS_A_BREATH - 1:
                breathe()
            scope = ended.span.instrumentation_scope
            key = ("", "") if scope is None else (scope.name, scope.version or "")
            try:
                encoded = self._span(ended)
            except Exception as fault:  # noqa: BLE001 - one span must not cost the others of its batch
                swallow("encode", fault)
                unreadable += 1
            else:
                by_scope.setdefault(key, []).append(encoded)
        scopes = [otlp.scope_spans(name, version, spans) for (name, version), spans in by_scope.items()]
        return otlp.resource_spans(self._resource, scopes), unreadable

    def _span(self, ended: Ended) -> bytes:
        span = ended.span
        capture = self._rules.capture if ended.capture is None else ended.capture
        encoded = self._own(span, capture) if type(span) is AgentSpan else self._foreign(span, capture)
        return otlp.span(
            span.name,
            span.get_span_context(),
            span.parent,
            span.kind,
            span.start_time or 0,
            span.end_time or 0,
            encoded + otlp.attribute(otlp.ATTRIBUTE, names.SEQ, ended.seq),
            self._rules.events(events, capture) if (events := span.events) else (),
            span.links,
            span.status.status_code,
            self._rules.message(span.status.description, capture),
        )

    def _own(self, span: AgentSpan, capture: Capture) -> bytes:
        encoded = otlp.own_attributes(span.own)
        if span.scope is not None:
            if span.scope.encoded is None:
                span.scope.encoded = otlp.attributes(otlp.ATTRIBUTE, span.scope.attributes)
            encoded = span.scope.encoded + encoded
        if span.contents:
            encoded += otlp.attributes(otlp.ATTRIBUTE, self._rules.settle(span.contents, capture))
        if span.set_by_others:
            encoded += otlp.attributes(otlp.ATTRIBUTE, self._rules.attributes(span.set_by_others, capture))
        return encoded

    def _foreign(self, span: ReadableSpan, capture: Capture) -> bytes:
        return otlp.attributes(otlp.ATTRIBUTE, self._rules.attributes(span.attributes or {}, capture))

    def describe(self, ended: Ended) -> dict[str, Any]:
        """Returns the attributes that `encode` would write, for looking at a span without the wire."""
        span = ended.span
        capture = self._rules.capture if ended.capture is None else ended.capture
        if type(span) is not AgentSpan:
            return {**self._rules.attributes(span.attributes or {}, capture), names.SEQ: ended.seq}
        shared = {} if span.scope is None else span.scope.attributes
        others = self._rules.attributes(span.set_by_others, capture)
        contents = self._rules.settle(span.contents, capture)
        return {**shared, **span.own, **contents, **others, names.SEQ: ended.seq}
