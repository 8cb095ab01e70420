"""`@agent`: one call of the function is one run."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar, overload

from opentelemetry import context as otel_context
from opentelemetry.context import Context

from loopwatch import arguments, names
from loopwatch import capture as captures
from loopwatch.blocks import Block
from loopwatch.capture import CaptureChoice
from loopwatch.errors import Stopped
from loopwatch.faults import swallow
from loopwatch.identity import attributes_of, check_tags
from loopwatch.limits import Limits, check_limits
from loopwatch.operations import Operation
from loopwatch.process import Process
from loopwatch.runs import NO_LIMITS, Run
from loopwatch.scopes import IDENTITY_KEY, SCOPE_KEY, Scope, current_scope
from loopwatch.wrapping import Begin, check_function, wrap

F = TypeVar("F", bound=Callable[..., Any])
Who = str | Callable[..., str | None] | None
"""An identity: a constant, or a function of the agent's arguments by name, such as `lambda ticket: ticket.customer`."""


class AgentRun(Operation):
    """One run, open."""

    __slots__ = ("run",)

    def __init__(
        self, process: Process, span: Any, context: Context, capture: captures.Capture | None, run: Run
    ) -> None:
        super().__init__(process, span, context, capture)
        self.run = run

    def record_result(self, result: object) -> None:
        """Writes the outcome and what the agent returned."""
        self._end(None)
        self.content(names.OUTPUT, result)

    def record_error(self, error: BaseException) -> None:
        """Writes the outcome; a run that was stopped is no error of the agent's."""
        if isinstance(error, Stopped):
            self.run.stopped_by = self.run.stopped_by or error
            self._end(None)
            return
        self._end(error)
        super().record_error(error)

    def _end(self, error: BaseException | None) -> None:
        self.process.live_runs.pop(self.run.run_id, None)
        left_open = None if self.run.open_iterations is None else self.run.open_iterations()
        if left_open is not None:
            left_open.close()
        self.set(self.run.end_attributes(error))


class Agent(Block[Run | None]):
    """A decorator, and a context manager, that makes runs; see `agent`."""

    def __init__(
        self,
        name: str | None,
        version: str | None,
        limits: Limits,
        capture: CaptureChoice,
        who: dict[str, Any],
    ) -> None:
        check_tags(who.get("tags"))
        check_limits(limits)
        self._name = name
        self._limits = limits
        self._capture = None if capture is None else captures.parse(capture)
        captures.ask_for_messages(self._capture or captures.NOTHING)
        self._version = version
        self._constant = attributes_of({field: value for field, value in who.items() if not callable(value)})
        self._callables = {field: value for field, value in who.items() if callable(value)}

    def __call__(self, function: F) -> F:
        """Wraps an agent's function."""
        check_function("agent", function)
        return wrap(function, self._begin_call, lambda state: self._pause_s(state, self._name or function.__name__))

    def _begin_call(self, function: Callable[..., Any]) -> Begin:
        bind = arguments.binder(function)
        name = self._name or function.__name__

        def begin(state: Process, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Operation | None:
            try:
                return self._open(state, name, bind(args, kwargs))
            except Stopped:
                raise
            except Exception as fault:  # noqa: BLE001 - a fault of ours must not stop the agent
                swallow("agent.begin", fault, name)
                return None

        return begin

    def _pause_s(self, state: Process, name: str) -> float:
        """Returns how long a throttled run waits before it begins; its scope is what is known before the call."""
        current = otel_context.get_current()
        if not state.breakers.any_known or current_scope(current) is not None:
            return 0.0
        return state.breakers.wait_s(self._identity(state, Run("", name), None, current, {}, ask=False))

    def _open(self, state: Process, name: str, bound: dict[str, Any]) -> AgentRun:
        current = otel_context.get_current()
        outer = current_scope(current)
        run = Run(state.tracing.run_id(), name, self._limits, self._capture, state.prices)
        scope = Scope(run, self._identity(state, run, outer, current, bound))
        if outer is None and (refused := state.breakers.refused(scope.attributes)) is not None:
            raise refused
        context = Context({**current, SCOPE_KEY: scope})
        attributes: dict[str, Any] = {names.OPERATION_NAME: names.OPERATION_INVOKE_AGENT}
        for cap_name, cap in self._limits.caps().items():
            attributes[names.LIMITS_PREFIX + cap_name] = cap
        run.span = state.tracing.start(f"invoke_agent {name}", attributes, scope, context)
        state.live_runs[run.run_id] = run
        opened = AgentRun(state, run.span, context, self._capture, run)
        opened.given(names.INPUT, bound)
        return opened

    def _identity(
        self,
        state: Process,
        run: Run,
        outer: Scope | None,
        current: Context,
        bound: dict[str, Any],
        *,
        ask: bool = True,
    ) -> dict[str, Any]:
        """What every span of the run gets: the process's, then what is around it, then the agent's own."""
        around: Any = current.get(IDENTITY_KEY) or {}
        attributes: dict[str, Any] = {names.RUN_ID: run.run_id, names.AGENT_NAME: run.agent}
        if self._version:
            attributes[names.AGENT_VERSION] = self._version
        if state.settings.environment:
            attributes[names.ENVIRONMENT] = state.settings.environment
        if outer is not None:
            attributes[names.PARENT_RUN_ID] = outer.run.run_id
            attributes.update({name: outer.attributes[name] for name in _INHERITED if name in outer.attributes})
        attributes.update(self._constant)
        attributes.update(around)
        if self._callables and ask:
            attributes.update(
                attributes_of({field: _ask(who, bound, run.agent) for field, who in self._callables.items()})
            )
        return attributes

    def open_block(self, state: Process) -> AgentRun:
        """Opens a run around a block; its name is "agent" unless one was given."""
        return self._open(state, self._name or "agent", {})

    def given(self, operation: Operation | None) -> Run | None:
        """Gives the run, or None when nothing is recorded."""
        return operation.run if isinstance(operation, AgentRun) else None


_INHERITED = (names.CONVERSATION_ID, names.CUSTOMER_ID, names.USER_ID, names.ENVIRONMENT, names.TAGS)


def _ask(who: Callable[..., Any], bound: dict[str, Any], agent_name: str) -> Any:
    """Calls an author's function with those of the bound arguments that it names; its fault costs only its answer."""
    try:
        wanted = arguments.accepted(who)
        return who(**(bound if wanted is None else {name: bound[name] for name in wanted if name in bound}))
    except Exception as fault:  # noqa: BLE001 - the run is worth more than one of its attributes
        swallow("agent.identity", fault, agent_name)
        return None


@overload
def agent(function: F, /) -> F: ...
@overload
def agent(
    *,
    name: str | None = None,
    version: str | None = None,
    tags: Sequence[str] | None = None,
    limits: Limits = NO_LIMITS,
    capture: CaptureChoice = None,
    prompt_name: str | None = None,
    prompt_version: str | None = None,
    environment: str | None = None,
    conversation_id: Who = None,
    customer_id: Who = None,
    user_id: Who = None,
) -> Agent: ...
def agent(
    function: Any = None,
    /,
    *,
    name: str | None = None,
    version: str | None = None,
    tags: Sequence[str] | None = None,
    limits: Limits = NO_LIMITS,
    capture: CaptureChoice = None,
    prompt_name: str | None = None,
    prompt_version: str | None = None,
    environment: str | None = None,
    conversation_id: Who = None,
    customer_id: Who = None,
    user_id: Who = None,
) -> Any:
    """Makes each call of a function a run; or, as a context manager, a block.

    Args:
        function: the function, when used without parentheses.
        name: the agent's name; the function's by default.
        version: the agent's version.
        tags: words to find its runs by.
        limits: caps on each run.
        capture: kinds of content that may leave, instead of the process's choice.
        prompt_name: the prompt's name.
        prompt_version: the prompt's version.
        environment: where it runs, if not where the process says.
        conversation_id: the conversation a run belongs to: a constant, or a function of the arguments.
        customer_id: the tenant who is billed, likewise.
        user_id: the person who asked, likewise.

    Returns:
        The wrapped function, or a decorator for functions, generators and methods, sync and async, which is also a
        context manager that gives the `Run`.

    Raises:
        ConfigurationError: an argument cannot be honoured.
    """
    if function is not None:
        check_function("agent", function)
    who = {
        "tags": tags,
        "prompt_name": prompt_name,
        "prompt_version": prompt_version,
        "environment": environment,
        "conversation_id": conversation_id,
        "customer_id": customer_id,
        "user_id": user_id,
    }
    decorator = Agent(name, version, limits, capture, who)
    return decorator if function is None else decorator(function)
