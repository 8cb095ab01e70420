"""Where in a run the calling code is, carried by the OpenTelemetry context."""

from collections.abc import Mapping
from typing import Any, Final

from opentelemetry import context as otel_context
from opentelemetry.context import Context

from loopwatch import names
from loopwatch.breakers import Breakers
from loopwatch.runs import Run

SCOPE_KEY: Final = otel_context.create_key("loopwatch.scope")
IDENTITY_KEY: Final = otel_context.create_key("loopwatch.identity")


class Shared:
    """What all spans of one place in a run share; ended spans wait with it, and not with the run itself.

    Args:
        attributes: the run's identity, the iteration and the step.
    """

    __slots__ = ("attributes", "encoded")

    def __init__(self, attributes: dict[str, Any]) -> None:
        self.attributes = attributes
        self.encoded: bytes | None = None  # filled by the exporter: the same bytes on every span of the place


class Scope:
    """A place in a run; its attributes go on every span opened there.

    Args:
        run: the run.
        attributes: what every span gets: the run's identity, the iteration and the step.
        iteration: the iteration's number, counted from 1; 0 outside any.
    """

    __slots__ = ("iteration", "run", "shared")

    def __init__(self, run: Run, attributes: dict[str, Any], iteration: int = 0) -> None:
        self.run = run
        self.shared = Shared(attributes)
        self.iteration = iteration

    @property
    def attributes(self) -> dict[str, Any]:
        """What every span gets."""
        return self.shared.attributes

    def with_iteration(self, number: int) -> "Scope":
        """Returns the scope inside one iteration of the run."""
        return Scope(self.run, {**self.attributes, names.ITERATION: number}, number)

    def with_attributes(self, attributes: Mapping[str, Any]) -> "Scope":
        """Returns the scope with more, or other, attributes for every span."""
        return Scope(self.run, {**self.attributes, **attributes}, self.iteration)


def current_scope(context: Context | None = None) -> Scope | None:
    """Returns where in a run the context is, or None outside any run."""
    scope = (otel_context.get_current() if context is None else context).get(SCOPE_KEY)
    return scope if type(scope) is Scope else None


def check_limits(iterations: int = 0) -> None:
    """Looks at the caps of the run the calling code is in, before more work begins.

    Args:
        iterations: how many iterations are about to begin.

    Raises:
        LimitExceeded: a cap is reached, and the author chose to raise.
    """
    scope = current_scope()
    if scope is not None:
        scope.run.check(iterations)


def check_breakers(breakers: Breakers) -> None:
    """Ends the run the calling code is in if the fleet's switch says so.

    Args:
        breakers: the switches.

    Raises:
        BreakerOpen: a breaker with the action `stop_running` holds for the run.
    """
    if not breakers.any_known or (scope := current_scope()) is None:
        return
    stopped = breakers.stopped(scope.attributes)
    if stopped is not None:
        scope.run.stopped_by = stopped
        raise stopped


def current_run() -> Run | None:
    """Returns the run the calling code is in, or None outside any."""
    scope = current_scope()
    return None if scope is None else scope.run
