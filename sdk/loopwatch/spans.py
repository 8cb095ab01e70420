"""A span of ours: the OpenTelemetry interface over plain fields.

The SDK's own span takes a lock, copies and checks every attribute at each touch, which costs the agent more
than all the rest of a decorated call. Ours writes its own, already clean attributes into a dict; what
comes from others goes through the checks. Content is kept as snapshots, spelled out by the exporter's thread.
"""

import marshal
import traceback
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, Status, StatusCode

from loopwatch import snapshots

if TYPE_CHECKING:
    from loopwatch.capture import Capture
    from loopwatch.scopes import Scope
    from loopwatch.snapshots import Snapshot
    from loopwatch.tracing import Tracing

MAX_EVENTS = 128


class AgentSpan(Span, ReadableSpan):
    """One span of an agent's run.

    Args:
        name: the span's name.
        context: its identity.
        parent: the parent's, or None at the root.
        attributes: clean attributes, kept and not copied.
        scope: where in a run it is, or None outside any.
        kind: the OpenTelemetry span kind.
        tracing: what opened it: knows the process and the time, and takes the span when it ends.
    """

    def __init__(
        self,
        name: str,
        context: SpanContext,
        parent: SpanContext | None,
        attributes: dict[str, Any],
        scope: "Scope | None",
        kind: SpanKind,
        tracing: "Tracing",
    ) -> None:
        self._name = name
        self._context = context
        self._parent = parent
        self._kind = kind
        self._resource = tracing.resource
        self._instrumentation_scope = tracing.instrumentation_scope
        self._tracing = tracing
        self._instrumentation_info = None
        self._links: tuple[Link, ...] = ()
        self.shared = None if scope is None else scope.shared
        self.run = None if scope is None else scope.run  # until it ends: the run has its span, too
        self.own: dict[str, Any] = attributes
        self.contents: dict[str, Snapshot] = {}
        self.set_by_others: dict[str, Any] = {}
        self.weight = 0  # characters of content it carries
        self.capture: Capture | None = None
        self._recorded: list[Event] = []
        self._error: Status | None = None
        self._ended: int | None = None
        self._start_time = tracing.clock()

    @property
    def attributes(self) -> Mapping[str, Any]:
        """Every attribute, those the whole run shares included."""
        shared = {} if self.shared is None else self.shared.attributes
        return {**shared, **self.own, **self.set_by_others}

    @property
    def events(self) -> tuple[Event, ...]:
        """The events so far."""
        return tuple(self._recorded)

    @property
    def links(self) -> tuple[Link, ...]:
        """The links so far."""
        return self._links

    @property
    def status(self) -> Status:
        """Unset, or what it was set to."""
        return self._error or _UNSET

    @property
    def end_time(self) -> int | None:
        """Nanoseconds since the epoch, or None while it is open."""
        return self._ended

    @property
    def dropped_attributes(self) -> int:
        """None are."""
        return 0

    @property
    def dropped_events(self) -> int:
        """Those past the bound are not counted one by one."""
        return 0

    @property
    def dropped_links(self) -> int:
        """None are."""
        return 0

    def get_span_context(self) -> SpanContext:
        """Returns the span's identity."""
        return self._context  # type: ignore[return-value]  # the base allows None; ours is always given

    def is_recording(self) -> bool:
        """Whether it is still open."""
        return self._ended is None

    def set_attribute(self, key: str, value: Any) -> None:
        """Sets one attribute, checked as OpenTelemetry does."""
        self.set_attributes({key: value})

    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        """Sets attributes, checked as OpenTelemetry does; they are treated as another library's."""
        if self._ended is None:
            self.set_by_others.update(BoundedAttributes(attributes=attributes))

    def add_event(self, name: str, attributes: Mapping[str, Any] | None = None, timestamp: int | None = None) -> None:
        """Adds an event; past 128 of them the oldest goes."""
        if self._ended is not None:
            return
        if len(self._recorded) >= MAX_EVENTS:
            del self._recorded[0]
        at = self._tracing.clock() if timestamp is None else timestamp
        self._recorded.append(Event(name, BoundedAttributes(attributes=attributes), at))

    def add_link(self, context: SpanContext, attributes: Mapping[str, Any] | None = None) -> None:
        """Adds a link to another span."""
        if self._ended is None and context.is_valid:
            self._links = (*self._links, Link(context, BoundedAttributes(attributes=attributes)))

    def update_name(self, name: str) -> None:
        """Renames the span."""
        if self._ended is None:
            self._name = name

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        """Sets the status; OK is final and unset changes nothing, as OpenTelemetry says."""
        new = Status(status, description) if isinstance(status, StatusCode) else status
        if self._ended is not None or new.status_code is StatusCode.UNSET:
            return
        if self._error is None or self._error.status_code is not StatusCode.OK:
            self._error = new

    def record_exception(
        self,
        exception: BaseException,
        attributes: Mapping[str, Any] | None = None,
        timestamp: int | None = None,
        escaped: bool = False,
    ) -> None:
        """Adds the exception as an event, in the convention's form."""
        recorded = {
            "exception.type": exception_name(exception),
            "exception.message": _message(exception),
            "exception.stacktrace": "".join(traceback.format_exception(exception)),
            "exception.escaped": str(escaped),
        }
        self.add_event("exception", {**recorded, **(attributes or {})}, timestamp)

    def end(self, end_time: int | None = None) -> None:
        """Ends the span and hands it on; a second call does nothing."""
        if self._ended is None:
            self._ended = self._tracing.clock() if end_time is None else end_time
            self._tracing.on_end(self)
            self.run = None

    def packed(self) -> bytes | None:
        """Returns the ended span as bytes that `unpack` reads; None for the few spans that hold more than plain values.

        What waits in a queue as objects is walked through by the garbage collector again and again, in the agent's
        thread: its passes were the longest a call could be held up.
        """
        context, parent = self._context, self._parent
        if self._recorded or self._links or self.set_by_others or self._error or context.trace_state:
            return None
        values = (
            self._name,
            context.trace_id,
            context.span_id,
            0 if parent is None else parent.span_id,
            parent is not None and parent.is_remote,
            self._kind.value,
            self._start_time,
            self._ended,
            self.own,
            self.contents,
        )
        try:
            return marshal.dumps(values, snapshots.MARSHAL_VERSION)
        except ValueError:  # an attribute's value is of a class derived from str or int
            return None


_UNSET = Status(StatusCode.UNSET)


class PackedSpan(NamedTuple):
    """What `AgentSpan.packed` holds."""

    name: str
    trace_id: int
    span_id: int
    parent_id: int
    is_parent_remote: bool
    kind: int
    start_time: int
    end_time: int
    own: dict[str, Any]
    contents: "dict[str, Snapshot]"


def unpack(packed: bytes) -> PackedSpan:
    """Reads what `AgentSpan.packed` returned in this process."""
    return PackedSpan._make(marshal.loads(packed))  # noqa: S302 - our own bytes, made above in this process


def exception_name(error: BaseException) -> str:
    """Returns the exception's class name, with its module unless it is a built-in one."""
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _message(error: BaseException) -> str:
    """The exception's text, whatever its __str__ does."""
    try:
        return str(error)
    except Exception as fault:  # noqa: BLE001 - the exception is the host's and may do anything when looked at
        return f"<no message: {type(fault).__name__}>"
