"""The one process state: what `configure` made, replaced whole by `loopwatch.testing`."""

import hashlib
import importlib.metadata
import os
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator

from loopwatch import names, settings
from loopwatch.breakers import Breakers
from loopwatch.capture import Capture, CaptureChoice, ask_for_messages
from loopwatch.content import ContentRules
from loopwatch.encoding import Encoder
from loopwatch.faults import swallow
from loopwatch.prices import PriceBook
from loopwatch.redaction import Redactor
from loopwatch.runs import Run
from loopwatch.scopes import current_scope
from loopwatch.settings import Settings
from loopwatch.spans import AgentSpan
from loopwatch.spool import Spool
from loopwatch.tracing import Tracing

if TYPE_CHECKING:
    from loopwatch.reading import Reader

active: "Process | None" = None
"""None until `configure`, and again after `shutdown`: then every decorator calls straight through."""


class Outlet(Protocol):
    """Where ended spans go: the exporter, or a test's recorder."""

    def put(self, span: ReadableSpan, capture: Capture | None) -> None:
        """Takes one ended span."""
        ...

    def flush(self, timeout_s: float) -> bool:
        """Waits until what was taken is safe."""
        ...

    def shutdown(self) -> None:
        """Takes no more."""
        ...


class Process:
    """What a configured process has.

    Args:
        settings: what was decided.
        rules: what may leave.
        tracing: opens spans.
        outlet: takes ended spans.
        prices: what model calls cost.
        breakers: the fleet's switches.
    """

    def __init__(
        self,
        settings: Settings,
        rules: ContentRules,
        tracing: Tracing,
        outlet: Outlet,
        prices: PriceBook,
        breakers: Breakers,
    ) -> None:
        self.settings = settings
        self.rules = rules
        self.tracing = tracing
        self.outlet = outlet
        self.live_runs: dict[str, Run] = {}
        self.prices = prices
        self.breakers = breakers

    def ended(self, span: ReadableSpan) -> None:
        """Takes every span that ended in this process, whoever opened it."""
        attributes = span.attributes or {}
        run = self.live_runs.get(str(attributes.get(names.RUN_ID, "")))
        if run is not None:
            run.model_call_ended(attributes)
        self.outlet.put(span, None if run is None else run.capture)

    def ended_own(self, span: AgentSpan) -> None:
        """Takes a span of ours, whose run is known."""
        run = span.run
        if run is not None and names.REQUEST_MODEL in span.own:
            run.model_call_ended(span.own)
        capture = span.capture if run is None or span.capture is not None else run.capture
        self.outlet.put(span, capture)


class RunProcessor(SpanProcessor):
    """Puts a run's attributes on every span of it, spans of other libraries included, and takes them at their end."""

    def on_start(self, span: Span, parent_context: Any = None) -> None:
        """Adds the run's attributes."""
        try:
            scope = current_scope(parent_context)
            if active is not None and scope is not None:
                span.set_attributes(scope.attributes)
                scope.run.model_call_began(span.attributes or {})
        except Exception as fault:  # noqa: BLE001 - a fault of ours must not reach the library that opened the span
            swallow("processor.on_start", fault)

    def on_end(self, span: ReadableSpan) -> None:
        """Hands the span on if it is sampled."""
        try:
            context = span.get_span_context()
            if active is not None and context is not None and context.trace_flags.sampled:
                active.ended(span)
        except Exception as fault:  # noqa: BLE001 - a fault of ours must not reach the library that ended the span
            swallow("processor.on_end", fault)


_PROCESSOR = RunProcessor()


def configure(
    *,
    service_name: str | None = None,
    service_version: str | None = None,
    environment: str | None = None,
    endpoint: str | None = None,
    api_key: str | None = None,
    capture: CaptureChoice = None,
    redact: bool = True,
    redact_patterns: Sequence[str] = (),
    keep_attributes: Sequence[str] = (),
    spool_dir: str | os.PathLike[str] | None = None,
) -> None:
    """Starts recording in this process. Without it every decorator calls straight through.

    Every argument may be left to the environment: LOOPWATCH_* first, then the standard OTEL_* variables.

    Args:
        service_name: the service's name.
        service_version: the service's version.
        environment: where it runs, such as "production".
        endpoint: the collector's base URL, http://127.0.0.1:4318 by default.
        api_key: sent as Bearer.
        capture: what content may leave the process: True, or kinds of "input", "output", "tool_calls", "errors";
            nothing by default.
        redact: whether secrets and personal data are taken out of content.
        redact_patterns: further regular expressions to take out; a group named `secret` narrows what goes.
        keep_attributes: beginnings of other libraries' attribute names that carry no content: they leave always.
        spool_dir: where batches wait that the collector could not take.

    Raises:
        ConfigurationError: naming every setting that cannot be honoured.
    """
    decided = settings.load(
        service_name=service_name,
        service_version=service_version,
        environment=environment,
        endpoint=endpoint,
        api_key=api_key,
        capture_choice=capture,
        redact=redact,
        redact_patterns=redact_patterns,
        keep_attributes=keep_attributes,
        spool_dir=spool_dir,
    )
    shutdown()
    if decided.disabled:
        return
    try:
        replace(_assembled(decided))
    except Exception as fault:  # noqa: BLE001 - an agent that cannot be recorded still has to run
        swallow("configure", fault)


def _assembled(decided: Settings) -> Process:
    """Puts the parts together and starts what runs in the background."""
    from loopwatch.exporting import Exporter  # these bring urllib3, which an unconfigured process does not need
    from loopwatch.reading import Reader

    resource = _resource(decided)
    provider = provider_for(resource)
    ask_for_messages(decided.capture)
    rules = rules_of(decided)
    spool = Spool(_spool_directory(decided), decided.max_spool_bytes)
    sent_resource = dict(resource.attributes)
    reader = Reader(decided)
    exporter = Exporter(decided, Encoder(sent_resource, rules), sent_resource, spool)
    tracing = Tracing(provider, resource, take_own)
    return Process(decided, rules, tracing, exporter, PriceBook(reader.get), _breakers(reader, decided, resource))


def _breakers(reader: "Reader", decided: Settings, resource: Resource) -> Breakers:
    service = str(resource.attributes.get(names.SERVICE_NAME, ""))
    return Breakers(reader.ask if decided.breaker_poll_s else None, service, decided.breaker_poll_s)


def rules_of(decided: Settings) -> ContentRules:
    """Returns what may leave the process by its settings."""
    return ContentRules(
        decided.capture,
        Redactor(decided.redact_patterns).redact if decided.redact else _as_it_is,
        decided.max_content_chars,
        decided.kept_prefixes,
    )


def _as_it_is(text: str) -> str:
    return text


def _spool_directory(decided: Settings) -> Path:
    """Batches wait apart for each collector and key: nobody's spans are sent to somebody else."""
    whose = f"{decided.traces_url}\n{sorted(decided.headers.items())}\n{decided.compression}"
    return decided.spool_dir / hashlib.sha256(whose.encode()).hexdigest()[:16]


def take_own(span: AgentSpan) -> None:
    """Takes an ended span of ours."""
    try:
        if active is not None:
            active.ended_own(span)
    except Exception as fault:  # noqa: BLE001 - a fault of ours must not reach whoever ended the span
        swallow("process.ended", fault)


def replace(process: Process | None) -> Process | None:
    """Puts another state in force.

    Returns:
        The one before.
    """
    global active
    before, active = active, process
    return before


def flush(timeout_s: float = 5.0) -> bool:
    """Waits until what has ended is with the collector, or safe on disk.

    Args:
        timeout_s: how long to wait at most.

    Returns:
        Whether it was done in time.
    """
    return active is None or active.outlet.flush(timeout_s)


def shutdown() -> None:
    """Sends what there is and stops recording; the process may be configured again."""
    before = replace(None)
    if before is not None:
        before.breakers.stop()
        before.outlet.shutdown()


def _resource(decided: Settings) -> Resource:
    attributes: Mapping[str, Any] = {
        names.SERVICE_NAME: decided.service_name,
        names.SERVICE_VERSION: decided.service_version,
        names.ENVIRONMENT: decided.environment,
        names.PROCESS_ID: secrets.token_hex(8),
        names.SDK_VERSION: importlib.metadata.version("loopwatch"),
    }
    return Resource.create({name: value for name, value in attributes.items() if value is not None})


def provider_for(resource: Resource) -> trace.TracerProvider:
    """The process's tracer provider: the one that is there, or ours."""
    provider = trace.get_tracer_provider()
    if not hasattr(provider, "add_span_processor"):
        provider = OwnProvider(resource=resource, shutdown_on_exit=False, id_generator=_Identities())
        trace.set_tracer_provider(provider)
    if _PROCESSOR not in _attached(provider):
        provider.add_span_processor(_PROCESSOR)  # type: ignore[attr-defined]  # has it, as seen above
    return provider


class _Identities(IdGenerator):
    """Gives other libraries' spans identities from the same source as ours."""

    def generate_span_id(self) -> int:
        """Returns 64 bits."""
        return random_identity() if active is None else active.tracing.identities(64) or 1

    def generate_trace_id(self) -> int:
        """Returns 128 bits."""
        return random_identity() if active is None else active.tracing.identities(128) or 1

    def is_trace_id_random(self) -> bool:
        """They are."""
        return True


def random_identity() -> int:
    """Returns 64 random bits for a span that is opened when nothing is configured, and goes nowhere."""
    return secrets.randbits(64) or 1


class OwnProvider(TracerProvider):
    """OpenTelemetry's provider, which remembers whether somebody else listens to it."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.processors: tuple[SpanProcessor, ...] = ()
        self.only_ours = False

    def add_span_processor(self, span_processor: SpanProcessor) -> None:
        """Adds a listener; once there is one that is not ours, our spans are opened the SDK's way."""
        self.processors += (span_processor,)
        self.only_ours = self.processors == (_PROCESSOR,)
        super().add_span_processor(span_processor)


def _attached(provider: Any) -> tuple[Any, ...]:
    """The processors we know of on a provider that may be anybody's."""
    listed = getattr(provider, "processors", None)
    if listed is not None:
        return listed
    return getattr(getattr(provider, "_active_span_processor", None), "_span_processors", ())
