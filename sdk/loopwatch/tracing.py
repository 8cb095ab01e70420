"""Opens our spans: cheaply while only we listen, the SDK's way when others do."""

import os
from collections.abc import Callable
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, TraceFlags

from loopwatch.runs import Scope
from loopwatch.spans import AgentSpan, random_bits

SCOPE_NAME: Final = "loopwatch"
_SAMPLED_RANDOM: Final = TraceFlags(TraceFlags.SAMPLED | TraceFlags.RANDOM_TRACE_ID)
_SDK_SETTINGS: Final = (
    "OTEL_TRACES_SAMPLER",
    "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    "OTEL_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
)


class Tracing:
    """Opens spans of ours.

    Args:
        provider: the process's tracer provider.
        resource: the process.
        on_end: takes each span of ours that ended, if the provider does not.
    """

    def __init__(
        self, provider: trace.TracerProvider, resource: Resource, on_end: Callable[[ReadableSpan], None]
    ) -> None:
        self._provider: Any = provider
        self._resource = resource
        self._on_end = on_end
        self._scope = InstrumentationScope(SCOPE_NAME, "")
        self._tracer = provider.get_tracer(SCOPE_NAME)
        self._plain = not any(os.environ.get(name) for name in _SDK_SETTINGS)

    def start(
        self,
        name: str,
        attributes: dict[str, Any],
        scope: Scope | None,
        context: Context,
        kind: SpanKind = SpanKind.INTERNAL,
    ) -> Any:
        """Opens a span.

        Args:
            name: its name.
            attributes: clean ones, which the span keeps.
            scope: where in a run it is.
            context: holds its parent, and the scope.
            kind: its OpenTelemetry kind.

        Returns:
            The open span, not yet current.
        """
        parent = trace.get_current_span(context).get_span_context()
        if not (self._plain and getattr(self._provider, "only_ours", False)):
            return self._tracer.start_span(name, context, kind, attributes)
        if not parent.is_valid:
            own = SpanContext(random_bits(128) or 1, random_bits(64) or 1, False, _SAMPLED_RANDOM)
            return self._open(name, own, None, attributes, scope, kind)
        if not parent.trace_flags.sampled:
            return trace.NonRecordingSpan(parent)
        own = SpanContext(parent.trace_id, random_bits(64) or 1, False, parent.trace_flags, parent.trace_state)
        return self._open(name, own, parent, attributes, scope, kind)

    def _open(
        self,
        name: str,
        own: SpanContext,
        parent: SpanContext | None,
        attributes: dict[str, Any],
        scope: Scope | None,
        kind: SpanKind,
    ) -> AgentSpan:
        return AgentSpan(name, own, parent, attributes, scope, kind, self._resource, self._scope, self._on_end)
