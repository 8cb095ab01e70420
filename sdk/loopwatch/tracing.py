"""Opens our spans: cheaply while only we listen, the SDK's way when others do."""

import os
import random
import time
from collections.abc import Callable
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, TraceFlags

from loopwatch.scopes import Scope
from loopwatch.spans import AgentSpan

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
        identities: gives an integer of so many random bits.
        clock: gives ns since the epoch.
    """

    def __init__(
        self,
        provider: trace.TracerProvider,
        resource: Resource,
        on_end: Callable[[AgentSpan], None],
        identities: Callable[[int], int] | None = None,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._provider: Any = provider
        self.resource = resource
        self.on_end = on_end
        self.identities = identities or _own_randomness()
        self.clock = clock
        self.instrumentation_scope = InstrumentationScope(SCOPE_NAME, "")
        self._tracer = provider.get_tracer(SCOPE_NAME)
        self._plain = hasattr(provider, "only_ours") and not any(os.environ.get(name) for name in _SDK_SETTINGS)

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
        if not self._plain or not self._provider.only_ours:
            return self._tracer.start_span(name, context, kind, attributes)
        if not parent.is_valid:
            own = SpanContext(self.identities(128) or 1, self.identities(64) or 1, False, _SAMPLED_RANDOM)
            return self._open(name, own, None, attributes, scope, kind)
        if not parent.trace_flags.sampled:
            return trace.NonRecordingSpan(parent)
        own = SpanContext(parent.trace_id, self.identities(64) or 1, False, parent.trace_flags, parent.trace_state)
        return self._open(name, own, parent, attributes, scope, kind)

    def run_id(self) -> str:
        """Returns 32 hexadecimal digits for a new run."""
        return f"{self.identities(128):032x}"

    def _open(
        self,
        name: str,
        own: SpanContext,
        parent: SpanContext | None,
        attributes: dict[str, Any],
        scope: Scope | None,
        kind: SpanKind,
    ) -> AgentSpan:
        return AgentSpan(name, own, parent, attributes, scope, kind, self)


def _own_randomness() -> Callable[[int], int]:
    """Random bits that a host's `random.seed(...)` does not make equal in two processes, nor a fork."""
    source = random.Random()  # noqa: S311 - identities must differ, not be secret
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=source.seed)
    return source.getrandbits
