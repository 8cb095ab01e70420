"""`step`: a named phase inside a run."""

from collections.abc import Callable
from typing import Any, TypeVar

from opentelemetry import context as otel_context
from opentelemetry.context import Context

from loopwatch import names
from loopwatch.blocks import Block
from loopwatch.errors import ConfigurationError
from loopwatch.faults import swallow
from loopwatch.operations import Operation
from loopwatch.process import Process
from loopwatch.scopes import SCOPE_KEY, current_scope
from loopwatch.wrapping import Begin, check_function, wrap

F = TypeVar("F", bound=Callable[..., Any])


class Step(Block[None]):
    """A context manager and a decorator; see `step`."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(self, function: F) -> F:
        """Makes each call of a function the step."""
        check_function("step", function)
        return wrap(function, self._begin_call)

    def _begin_call(self, function: Callable[..., Any]) -> Begin:
        return lambda state, args, kwargs: self._open(state)

    def _open(self, state: Process) -> Operation | None:
        try:
            return self.open_block(state)
        except Exception as fault:  # noqa: BLE001 - a fault of ours must not stop the agent
            swallow("step.begin", fault, self._name)
            return None

    def open_block(self, state: Process) -> Operation:
        """Opens the step."""
        current = otel_context.get_current()
        scope = current_scope(current)
        attributes: dict[str, Any] = {names.KIND: "step", names.STEP: self._name}
        if scope is not None:
            scope = scope.with_attributes({names.STEP: self._name})
            current = Context({**current, SCOPE_KEY: scope})
        span_name = f"step {self._name}"
        if self._name == "plan":
            attributes[names.OPERATION_NAME] = names.OPERATION_PLAN
            span_name = "plan" if scope is None else f"plan {scope.run.agent}"
        return Operation(state, state.tracing.start(span_name, attributes, scope, current), current)

    def given(self, operation: Operation | None) -> None:
        """Gives nothing."""


def step(name: str) -> Step:
    """Marks a named phase of a run: `with loopwatch.step("validate"): ...`, or as a decorator.

    Args:
        name: the phase, such as "plan", "execute", "observe", "validate".

    Returns:
        A context manager (sync and async) that is also a decorator.

    Raises:
        ConfigurationError: the name is none, as where the decorator is written without parentheses.
    """
    if callable(name):
        raise ConfigurationError('step(...): write the phase\'s name: loopwatch.step("plan")')
    return Step(name)
