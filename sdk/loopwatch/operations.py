"""An open span that is current until it closes: what the agent, tool, model call and step have in common."""

from typing import Any

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import StatusCode

from loopwatch import names, snapshots
from loopwatch.capture import Capture
from loopwatch.faults import swallow
from loopwatch.process import Process
from loopwatch.scopes import current_scope
from loopwatch.snapshots import Packed
from loopwatch.spans import AgentSpan, exception_name


class Operation:
    """One execution of something of the agent's, from its beginning to its end.

    Args:
        process: the configured process.
        span: its open span, made current here.
        context: the context to make current with the span in it.
        capture: kinds of content that may leave, or None for the process's choice.
    """

    __slots__ = ("_context", "_token", "capture", "name", "process", "result", "span", "timeout_s")

    def __init__(self, process: Process, span: Any, context: Context, capture: Capture | None = None) -> None:
        self.process = process
        self.span = span
        self.capture = capture
        self.name = ""
        self.timeout_s: float | None = None
        self.result: object = None  # of a block, as the block said
        if capture is not None and type(span) is AgentSpan:
            span.capture = capture
        self._context = trace.set_span_in_context(span, context)
        self._token = otel_context.attach(self._context)

    def content(self, name: str, value: object) -> None:
        """Keeps a value for its hash, its size and, where it may leave, itself.

        Args:
            name: the attribute, one of `names.CONTENT_ATTRIBUTES`.
            value: any object.
        """
        self.keep(name, snapshots.take(value))

    def given(self, name: str, value: object) -> None:
        """Keeps what the operation was given. It is current already: a fault here must not leave it so."""
        try:
            self.keep(name, value if type(value) is Packed else snapshots.take(value))
        except Exception as fault:  # noqa: BLE001 - the span is worth more than one of its contents
            swallow("operation.given", fault, self.subject())

    def keep(self, name: str, snapshot: snapshots.Snapshot) -> None:
        """Keeps a value that was already copied."""
        span = self.span
        if type(span) is AgentSpan:
            span.contents[name] = snapshot
            if isinstance(snapshot, (bytes, str)):
                span.weight += len(snapshot)
        else:
            rules = self.process.rules
            span.set_attributes(rules.settle({name: snapshot}, rules.capture if self.capture is None else self.capture))

    def set(self, attributes: dict[str, Any]) -> None:
        """Sets clean attributes."""
        if type(self.span) is AgentSpan:
            self.span.own.update(attributes)
        else:
            self.span.set_attributes(attributes)

    def subject(self) -> str:
        """Says what it is, and of which agent: whose the fault is that happened to it."""
        scope = current_scope(self._context)
        own = str(getattr(self.span, "name", ""))
        return own if scope is None or scope.run.agent in own else f"{own} of {scope.run.agent}"

    def suspend(self) -> None:
        """Leaves the operation's context while a generator waits for its consumer."""
        self._context = otel_context.get_current()
        otel_context.detach(self._token)

    def resume(self) -> None:
        """Enters it again."""
        self._token = otel_context.attach(self._context)

    def succeed(self, result: object) -> None:
        """Closes it with a result."""
        try:
            self.record_result(result)
        except Exception as fault:  # noqa: BLE001 - recording a result must not cost the host the result
            swallow("operation.succeed", fault, self.subject())
        self._close()

    def fail(self, error: BaseException) -> None:
        """Closes it with an exception, which the caller raises on."""
        try:
            self.record_error(error)
        except Exception as fault:  # noqa: BLE001 - the host's exception goes before ours
            swallow("operation.fail", fault, self.subject())
        self._close()

    def record_result(self, result: object) -> None:
        """Writes down what it returned; each kind says what that is."""

    def record_error(self, error: BaseException) -> None:
        """Writes down the exception."""
        self.set({names.ERROR_TYPE: exception_name(error)})
        if isinstance(error, Exception):
            self.span.record_exception(error)
        self.span.set_status(StatusCode.ERROR, _described(error))

    def _close(self) -> None:
        try:
            otel_context.detach(self._token)
            self.span.end()
        except Exception as fault:  # noqa: BLE001 - a span that does not end must not end the host
            swallow("operation.close", fault, self.subject())


def _described(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - the exception is the host's; its type is on the span already
        return ""
