"""The passes of an agent's loop."""

import weakref
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from opentelemetry import context as otel_context
from opentelemetry.context import Context

from loopwatch import names, process
from loopwatch.errors import Stopped
from loopwatch.faults import swallow
from loopwatch.operations import Operation
from loopwatch.runs import Run
from loopwatch.scopes import SCOPE_KEY, Scope, check_breakers, current_scope


class Iteration:
    """One pass of the loop, as a context manager; outside a run, or unconfigured, it only counts.

    Args:
        number: counted from 1, or None for the run's next.
    """

    def __init__(self, number: int | None = None) -> None:
        self.number = number or 0
        self._operation: Operation | None = None
        self.run: Run | None = None

    def __enter__(self) -> Self:
        scope = current_scope()
        if process.active is None or scope is None:
            return self
        run = self.run = scope.run
        check_breakers(process.active.breakers)
        run.check(iterations=1)
        try:
            run.iterations += 1
            self.number = run.iterations
            self._operation = _open(process.active, scope.with_iteration(self.number))
        except Exception as fault:  # noqa: BLE001 - a fault of ours must not stop the agent's loop
            swallow("iteration.begin", fault, run.agent)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        operation, self._operation = self._operation, None
        if operation is None:
            return
        if error is None or isinstance(error, (GeneratorExit, Stopped)):
            operation.succeed(None)
        else:
            operation.fail(error)


def _open(state: process.Process, scope: Scope) -> Operation:
    context = Context({**otel_context.get_current(), SCOPE_KEY: scope})
    span = state.tracing.start(f"iteration {scope.iteration}", {names.KIND: "iteration"}, scope, context)
    return Operation(state, span, context)


class Iterations:
    """The iterator behind `iterations()`: each step closes the iteration before and opens the next."""

    def __init__(self, at_most: int | None) -> None:
        self._at_most = at_most
        self._count = 0
        self._open: Iteration | None = None

    def __iter__(self) -> Iterator[Iteration]:
        return self

    def __next__(self) -> Iteration:
        self.close()
        if self._at_most is not None and self._count >= self._at_most:
            raise StopIteration
        self._count += 1
        iteration = Iteration(self._count)
        iteration.__enter__()
        self._open = iteration
        if iteration.run is not None:
            iteration.run.open_iterations = weakref.ref(self)  # the run's end closes what a loop left open
        return iteration

    def close(self) -> None:
        """Closes the iteration that is open, if any."""
        iteration, self._open = self._open, None
        if iteration is not None:
            iteration.__exit__(None, None, None)

    def __del__(self) -> None:
        self.close()


def iterations(at_most: int | None = None) -> Iterations:
    """Counts the passes of the agent's loop: `for iteration in loopwatch.iterations(): ...`.

    Args:
        at_most: end the loop after so many, quietly; a cap that stops the run is `Limits(iterations=...)`.

    Returns:
        An iterator of `Iteration`, each with its `number`. It never ends by itself without `at_most`.

    Raises:
        LimitExceeded: from its step, when the run's cap on iterations, or another cap, is reached.
    """
    return Iterations(at_most)


def iteration() -> Iteration:
    """Makes a block one pass of the agent's loop: `with loopwatch.iteration(): ...`.

    Returns:
        A context manager that gives the `Iteration`.

    Raises:
        LimitExceeded: on entering, when the run's cap on iterations, or another cap, is reached.
    """
    return Iteration()
