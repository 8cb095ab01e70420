"""From ended spans to one OTLP request, the bytes that spans share written once. Runs on the exporter's thread."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from opentelemetry.sdk.trace import ReadableSpan

from loopwatch import names, otlp
from loopwatch.capture import Capture
from loopwatch.content import ContentRules
from loopwatch.faults import swallow
from loopwatch.scopes import Shared
from loopwatch.snapshots import Snapshot
from loopwatch.spans import AgentSpan, unpack
from loopwatch.tracing import SCOPE_NAME

SPANS_A_BREATH: Final = 24
"""About half a millisecond of work. Python would let an agent's thread wait for ten times as long."""


class Ended(NamedTuple):
    """An ended span.

    Args:
        seq: its number in the process, in which a gap shows a loss.
        span: the span; one of ours as `AgentSpan.packed` makes it, where it can.
        capture: what its run says may leave, or None for the process's choice.
        shared: what a packed span shares with the others of its place in a run.
        weight: characters of content it carries.
    """

    seq: int
    span: ReadableSpan | bytes
    capture: Capture | None
    shared: Shared | None
    weight: int


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
        by_library: dict[tuple[str, str], list[bytes]] = {}
        unreadable = 0
        for number, ended in enumerate(spans):
            if breathe is not None and number % SPANS_A_BREATH == SPANS_A_BREATH - 1:
                breathe()
            try:
                encoded = self._span(ended)
            except Exception as fault:  # noqa: BLE001 - one span must not cost the others of its batch
                swallow("encode", fault)
                unreadable += 1
            else:
                by_library.setdefault(_library(ended.span), []).append(encoded)
        scopes = [otlp.scope_spans(name, version, spans) for (name, version), spans in by_library.items()]
        return otlp.resource_spans(self._resource, scopes), unreadable

    def _span(self, ended: Ended) -> bytes:
        capture = self._rules.capture if ended.capture is None else ended.capture
        seq = otlp.attribute(otlp.ATTRIBUTE, names.SEQ, ended.seq)
        if isinstance(ended.span, bytes):
            span = unpack(ended.span)
            return otlp.span(
                span.name,
                span.trace_id,
                span.span_id,
                span.parent_id,
                span.kind,
                span.start_time,
                span.end_time,
                self._own(ended.shared, span.own, span.contents, capture) + seq,
                is_parent_remote=span.is_parent_remote,
            )
        return self._whole(ended.span, capture, seq)

    def _whole(self, span: ReadableSpan, capture: Capture, seq: bytes) -> bytes:
        """Another library's span, or one of ours with events, links or an error."""
        context, parent = span.get_span_context(), span.parent
        if context is None:
            raise ValueError(f"span {span.name!r} has no identity")
        if type(span) is AgentSpan:
            encoded = self._own(span.shared, span.own, span.contents, capture)
            encoded += otlp.attributes(otlp.ATTRIBUTE, self._rules.attributes(span.set_by_others, capture))
        else:
            encoded = otlp.attributes(otlp.ATTRIBUTE, self._rules.attributes(span.attributes or {}, capture))
        return otlp.span(
            span.name,
            context.trace_id,
            context.span_id,
            0 if parent is None else parent.span_id,
            span.kind.value,
            span.start_time or 0,
            span.end_time or 0,
            encoded + seq,
            is_parent_remote=parent is not None and parent.is_remote,
            trace_state=context.trace_state.to_header(),
            events=self._rules.events(span.events, capture),
            links=span.links,
            status_code=span.status.status_code,
            status_message=self._rules.message(span.status.description, capture),
        )

    def _own(
        self, shared: Shared | None, own: dict[str, Any], contents: dict[str, Snapshot], capture: Capture
    ) -> bytes:
        """The attributes of a span of ours: those of its place in the run, its own, and its contents settled."""
        encoded = otlp.own_attributes(own)
        if shared is not None:
            if shared.encoded is None:
                shared.encoded = otlp.attributes(otlp.ATTRIBUTE, shared.attributes)
            encoded = shared.encoded + encoded
        return encoded + otlp.attributes(otlp.ATTRIBUTE, self._rules.settle(contents, capture)) if contents else encoded

    def describe(self, span: ReadableSpan, seq: int, capture: Capture) -> dict[str, Any]:
        """Returns the attributes that `encode` would write, for looking at a span without the wire."""
        if type(span) is not AgentSpan:
            return {**self._rules.attributes(span.attributes or {}, capture), names.SEQ: seq}
        shared = {} if span.shared is None else span.shared.attributes
        others = self._rules.attributes(span.set_by_others, capture)
        contents = self._rules.settle(span.contents, capture)
        return {**shared, **span.own, **contents, **others, names.SEQ: seq}


def _library(span: ReadableSpan | bytes) -> tuple[str, str]:
    """The name and version of who opened a span."""
    scope = None if isinstance(span, bytes) else span.instrumentation_scope
    if scope is None:
        return (SCOPE_NAME, "") if isinstance(span, bytes) else ("", "")
    return scope.name, scope.version or ""
