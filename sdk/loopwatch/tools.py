"""`@tool`: one call of the function is one tool call, with its outcome."""

import time
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from typing import Any, Final, TypeVar, overload

from opentelemetry import context as otel_context
from opentelemetry.context import Context

from loopwatch import capture as captures
from loopwatch import names, snapshots
from loopwatch.arguments import binder, unknown_names
from loopwatch.blocks import Block
from loopwatch.capture import CaptureChoice
from loopwatch.errors import ConfigurationError, NotFound, ToolTimeout
from loopwatch.faults import swallow
from loopwatch.limits import fault_of_cap
from loopwatch.loops import Loop
from loopwatch.names import LOOP_EVENT
from loopwatch.operations import Operation
from loopwatch.process import Process
from loopwatch.runs import Run
from loopwatch.scopes import check_limits, current_scope
from loopwatch.timeouts import TIMEOUT_KEY, cut_off_in_thread
from loopwatch.wrapping import Begin, check_function, wrap

F = TypeVar("F", bound=Callable[..., Any])
NotFoundWhen = Callable[[Any], bool] | Iterable[object] | None
_CALL_ID_KEY: Final = otel_context.create_key("loopwatch.tool_call_id")
_NOTHING: Final = 0  # the result of a call that raised NotFound
_RETRYABLE_STATUS: Final = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})


def is_retryable(error: BaseException) -> bool:
    """Whether the same call may succeed later, by the exception's own word, its type, or its HTTP status."""
    said = getattr(error, "retryable", None)
    if isinstance(said, bool):
        return said
    if isinstance(error, (TimeoutError, ConnectionError)):
        return True
    status = getattr(error, "status_code", None)
    return isinstance(status, int) and status in _RETRYABLE_STATUS


class ToolCall(Operation):
    """One execution of a tool, open."""

    __slots__ = ("_arguments", "_is_not_found", "_run", "_started")

    def __init__(
        self,
        process: Process,
        span: Any,
        context: Context,
        capture: captures.Capture | None,
        is_not_found: Callable[[Any], bool] | None,
        tool: str,
        arguments: int,
        run: Run | None,
    ) -> None:
        super().__init__(process, span, context, capture)
        self._is_not_found = is_not_found
        self.name = tool
        self._arguments = arguments
        self._run = run
        self._started = 0.0

    def record_result(self, result: object) -> None:
        """Writes the outcome and the result."""
        missing = self._is_not_found is not None and self._is_not_found(result)
        self.set({names.TOOL_OUTCOME: "not_found" if missing else "success"})
        taken = snapshots.take(result)
        self.keep(names.TOOL_RESULT, taken)
        self._watch(hash(snapshots.identity(taken)), lambda: snapshots.size(taken))
        if self.timeout_s is not None:
            self._report_late(self.timeout_s)

    def record_error(self, error: BaseException) -> None:
        """An exception is an error, unless it says that there is nothing to find."""
        if isinstance(error, NotFound):
            self.set({names.TOOL_OUTCOME: "not_found"})
            self._watch(_NOTHING, lambda: 0)
            return
        self.set({names.TOOL_OUTCOME: "error", names.TOOL_RETRYABLE: is_retryable(error)})
        self._watch(None, lambda: 0)
        super().record_error(error)

    def _watch(self, result: int | None, size: Callable[[], int]) -> None:
        """Shows the call to the run's loop detector and writes down what it finds."""
        if self._run is None:
            return
        loop = self._run.loops.add(self.name, self._arguments, result, size)
        if loop is not None:
            self.span.add_event(LOOP_EVENT, loop_attributes(loop))
            self._run.tool_call_ended(loop)

    def began(self) -> None:
        """Takes the time from which the tool's own cap counts."""
        self._started = time.monotonic()

    def _report_late(self, timeout_s: float) -> None:
        """A sync tool cannot be cut off; that it took too long is written down."""
        taken_s = time.monotonic() - self._started
        if taken_s > timeout_s and self._run is not None:
            self._run.report(ToolTimeout(self.name, taken_s, timeout_s))


class OpenToolCall:
    """What `with tool(...) as call` gives; unconfigured, it ignores what it is told."""

    def __init__(self, operation: Operation | None) -> None:
        self._operation = operation

    def returns(self, result: object) -> None:
        """Says what the tool answered; the outcome follows from it when the block ends."""
        if self._operation is not None:
            self._operation.result = result


class Tool(Block[OpenToolCall]):
    """A decorator that makes tool calls; see `tool`."""

    is_limited = True

    def __init__(
        self,
        name: str | None,
        capture: CaptureChoice,
        not_found: NotFoundWhen,
        hide: Iterable[str],
        arguments: Mapping[str, object] | None,
        timeout_s: float | None,
        in_thread: bool,
    ) -> None:
        self._name = name
        self._timeout_s = timeout_s
        self._in_thread = in_thread
        self._hidden = _names_of("hide", hide)
        fault = fault_of_cap("timeout_s", timeout_s, float)
        if fault:
            raise ConfigurationError(f"tool({fault})")
        self._arguments = arguments
        self._capture = None if capture is None else captures.parse(capture)
        self._is_not_found = _test_of(not_found)

    def __call__(self, function: F) -> F:
        """Wraps a tool's function."""
        check_function("tool", function)
        self._check_hidden(function)
        return wrap(cut_off_in_thread(function) if self._in_thread else function, self._begin_call)

    def _check_hidden(self, function: Any) -> None:
        """A name that is no argument's would hide nothing, and what it was meant for would be recorded."""
        plain: Any = getattr(function, "__func__", function)
        unknown = unknown_names(plain, self._hidden)
        if unknown:
            tool = self._name or getattr(plain, "__name__", "tool")
            takes = ", ".join(binder(plain)((), {})) or "none"
            raise ConfigurationError(
                f"tool(hide=...): {tool} has no argument {unknown[0]!r}, which would hide nothing; it has: {takes}"
            )

    def _begin_call(self, function: Callable[..., Any]) -> Begin:
        bind = binder(function)
        name = self._name or function.__name__
        span_name = f"execute_tool {name}"

        def begin(state: Process, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Operation | None:
            check_limits()
            try:
                return self._open(state, name, span_name, bind(args, kwargs))
            except Exception as fault:  # noqa: BLE001 - a fault of ours must not stop the tool
                swallow("tool.begin", fault, name)
                return None

        return begin

    def _open(self, state: Process, name: str, span_name: str, bound: dict[str, Any]) -> ToolCall:
        current = otel_context.get_current()
        scope = current_scope(current)
        taken = snapshots.take(bound)
        recorded = snapshots.take(_without(bound, self._hidden)) if self._hidden else taken
        if scope is not None:
            scope.run.tool_calls += 1
            scope.run.last_tool = name
        attributes: dict[str, Any] = {names.OPERATION_NAME: names.OPERATION_EXECUTE_TOOL, names.TOOL_NAME: name}
        call_id = current.get(_CALL_ID_KEY)
        if call_id is not None:
            attributes[names.TOOL_CALL_ID] = str(call_id)
        span = state.tracing.start(span_name, attributes, scope, current)
        run = None if scope is None else scope.run
        timeout_s = self._timeout_s or (None if run is None else run.limits.tool_timeout_s)
        if self._in_thread and timeout_s is not None:
            current = Context({**current, TIMEOUT_KEY: (name, timeout_s)})
        identity = hash(snapshots.identity(taken))
        opened = ToolCall(state, span, current, self._capture, self._is_not_found, name, identity, run)
        if timeout_s is not None:
            opened.timeout_s = timeout_s
            opened.began()
        opened.given(names.TOOL_ARGUMENTS, recorded)
        return opened

    def open_block(self, state: Process) -> ToolCall:
        """Opens a tool call around a block."""
        name = self._name or "tool"
        return self._open(state, name, f"execute_tool {name}", dict(self._arguments or {}))

    def given(self, operation: Operation | None) -> OpenToolCall:
        """Gives what the result is recorded with."""
        return OpenToolCall(operation)


def _names_of(word: str, given: Iterable[str]) -> tuple[str, ...]:
    """Names that an author gave as a list; one text alone would be taken apart into its letters."""
    if isinstance(given, str):
        raise ConfigurationError(f"tool({word}={given!r}): write a list: {word}=[{given!r}]")
    try:
        names_given: tuple[Any, ...] = tuple(given)
    except TypeError:
        names_given = (given,)
    wrong = [name for name in names_given if not isinstance(name, str)]
    if wrong:
        raise ConfigurationError(f"tool({word}=...): {wrong[0]!r:.80} is no argument's name; write a list of names")
    return names_given


def _without(bound: dict[str, Any], hidden: tuple[str, ...]) -> dict[str, Any]:
    """Hidden arguments leave neither themselves nor a hash, from which a short one could be guessed."""
    return {name: "[hidden]" if name in hidden else value for name, value in bound.items()}


def loop_attributes(loop: Loop) -> dict[str, Any]:
    """Returns a loop as an event's attributes."""
    return {
        names.LOOP_KIND: loop.kind,
        names.LOOP_TOOL: loop.tool,
        names.LOOP_CALLS: loop.calls,
        names.LOOP_EXPLANATION: loop.explanation,
    }


def _test_of(not_found: NotFoundWhen) -> Callable[[Any], bool] | None:
    if not_found is None or callable(not_found):
        return not_found
    fault = f"tool(not_found={not_found!r:.80}): write a list of values, or a test of the result"
    if isinstance(not_found, (str, bytes)):
        raise ConfigurationError(fault)
    try:
        empties = list(not_found)
    except TypeError:
        raise ConfigurationError(fault) from None
    return lambda result: any(type(result) is type(empty) and result == empty for empty in empties)


@contextmanager
def tool_call_id(call_id: str) -> Generator[None]:
    """Names the model's request that the tool calls made inside answer.

    Args:
        call_id: the id the model gave its request, such as a tool_use block's.
    """
    token = otel_context.attach(otel_context.set_value(_CALL_ID_KEY, call_id))
    try:
        yield
    finally:
        otel_context.detach(token)


@overload
def tool(function: F, /) -> F: ...
@overload
def tool(
    *,
    name: str | None = None,
    capture: CaptureChoice = None,
    not_found: NotFoundWhen = None,
    hide: Iterable[str] = (),
    arguments: Mapping[str, object] | None = None,
    timeout_s: float | None = None,
    in_thread: bool = False,
) -> Tool: ...
def tool(
    function: Any = None,
    /,
    *,
    name: str | None = None,
    capture: CaptureChoice = None,
    not_found: NotFoundWhen = None,
    hide: Iterable[str] = (),
    arguments: Mapping[str, object] | None = None,
    timeout_s: float | None = None,
    in_thread: bool = False,
) -> Any:
    """Makes each call of a function a tool call.

    An exception is the outcome `error`, retryable or not by its type; raising `loopwatch.NotFound`, or returning a
    value declared in `not_found`, is `not_found`.

    Args:
        function: the function, when used without parentheses.
        name: the tool's name; the function's by default.
        capture: kinds of content that may leave, instead of the run's choice.
        not_found: values that mean "there is nothing", such as `[None, []]`, or a test of the result.
        hide: names of arguments that are never recorded.
        arguments: what the tool is given, when used as a context manager.
        timeout_s: seconds a call may take, instead of the run's limit. An async tool is cancelled and raises
            `ToolTimeout`; a sync one is only reported, unless `in_thread`.
        in_thread: run a sync tool in a thread of its own, so that a call that takes too long can be left behind: it
            raises `ToolTimeout` while the thread finishes alone.

    Returns:
        The wrapped function, or a decorator, which is also a context manager.

    Raises:
        LimitExceeded: from a call, when a cap of the run is reached.
        ConfigurationError: an argument cannot be honoured, such as a name in `hide` that is no argument's.
    """
    if function is not None:
        check_function("tool", function)
    decorator = Tool(name, capture, not_found, hide, arguments, timeout_s, in_thread)
    return decorator if function is None else decorator(function)
