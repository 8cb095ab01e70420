"""Runs recorded in memory, with ids that count up and a clock that ticks, and assertions an agent's author wants.

    with loopwatch.testing.record() as recorder:
        resolve("checkout is slow")
    recorder.run.assert_tool_called("search_logs")
    recorder.run.assert_outcome("completed")

Under pytest the fixture `loopwatch_recorder` gives the same recorder. Nothing leaves the process, and a fault of
Loopwatch's own, which production swallows, is raised.
"""

import itertools
import json
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan

from loopwatch import faults, names, process, settings
from loopwatch.breakers import Breakers
from loopwatch.capture import Capture, CaptureChoice
from loopwatch.content import ContentRules
from loopwatch.encoding import Encoder
from loopwatch.prices import PriceBook
from loopwatch.process import Process, provider_for
from loopwatch.tracing import Tracing

FIRST_TICK_NS: Final = 1_767_225_600_000_000_000  # 2026-01-01T00:00:00Z
TICK_NS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """A span's event."""

    name: str
    time_ns: int
    attributes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RecordedSpan:
    """A span as it would have been sent: stripped, capped and redacted."""

    name: str
    trace_id: str
    span_id: str
    parent_id: str | None
    scope: str
    start_ns: int
    end_ns: int
    status: str
    message: str
    attributes: Mapping[str, Any]
    events: tuple[RecordedEvent, ...]

    @property
    def operation(self) -> str:
        """The convention's word for what it is, such as "execute_tool", or ""."""
        return str(self.attributes.get(names.OPERATION_NAME, ""))


@dataclass(frozen=True, slots=True)
class RecordedRun:
    """One run: its span, and every span below it that belongs to it."""

    span: RecordedSpan
    spans: tuple[RecordedSpan, ...]

    @property
    def outcome(self) -> str:
        """completed, escalated, failed or stopped."""
        return str(self.span.attributes.get(names.OUTCOME, "open"))

    @property
    def iterations(self) -> int:
        """How many iterations it had."""
        return sum(1 for span in self.spans if span.attributes.get(names.KIND) == "iteration")

    @property
    def tokens(self) -> int:
        """Input and output tokens of its model calls."""
        counted = (names.INPUT_TOKENS, names.OUTPUT_TOKENS)
        calls = (span for span in self.spans if span.operation == names.OPERATION_CHAT)
        return sum(int(span.attributes.get(name, 0)) for span in calls for name in counted)

    def tool_calls(self, tool: str | None = None) -> list[dict[str, Any]]:
        """Returns the arguments of each call of a tool, or of every tool, in the order the calls ended."""
        calls = [span for span in self.spans if span.operation == names.OPERATION_EXECUTE_TOOL]
        return [_arguments(span) for span in calls if tool is None or span.attributes.get(names.TOOL_NAME) == tool]

    def assert_tool_called(self, tool: str, times: int | None = None) -> None:
        """Fails unless a tool was called, or called so many times.

        Args:
            tool: its name.
            times: how often exactly; at least once when None.

        Raises:
            AssertionError: saying which tools were called.
        """
        calls = len(self.tool_calls(tool))
        expected = calls > 0 if times is None else calls == times
        if not expected:
            wanted = "at least once" if times is None else f"{times} times"
            raise AssertionError(
                f"tool {tool!r} should have been called {wanted}, but was {calls} times; {self._called()}"
            )

    def assert_tool_called_with(self, tool: str, **arguments: Any) -> None:
        """Fails unless some call of a tool had these arguments, among others.

        Args:
            tool: its name.
            **arguments: argument values that one call must all have had.

        Raises:
            AssertionError: saying what the calls had.
        """
        calls = self.tool_calls(tool)
        if not any(_has(call, arguments) for call in calls):
            raise AssertionError(f"no call of tool {tool!r} had {arguments!r}; calls had {calls!r}; {self._called()}")

    def assert_tool_never_called(self, tool: str) -> None:
        """Fails if a tool was called.

        Raises:
            AssertionError: saying what the calls had.
        """
        calls = self.tool_calls(tool)
        if calls:
            raise AssertionError(f"tool {tool!r} should never have been called, but was, with {calls!r}")

    def assert_iterations_at_most(self, iterations: int) -> None:
        """Fails if the run had more iterations.

        Raises:
            AssertionError: saying how many.
        """
        if self.iterations > iterations:
            raise AssertionError(f"the run should have had at most {iterations} iterations, but had {self.iterations}")

    def assert_cost_under(self, cost_usd: float) -> None:
        """Fails unless the run's model calls cost less; a model without a price fails too, for it is not free.

        Raises:
            AssertionError: saying what it cost, or which model has no price.
        """
        cost = self.span.attributes.get(names.COST_USD)
        if cost is None:
            raise AssertionError("the run's cost is not known: a model it called has no price here")
        if cost >= cost_usd:
            raise AssertionError(f"the run should have cost under ${cost_usd:g}, but cost ${cost:g}")

    def assert_outcome(self, outcome: str) -> None:
        """Fails unless the run ended so.

        Args:
            outcome: completed, escalated, failed or stopped.

        Raises:
            AssertionError: saying how it ended, and why.
        """
        if self.outcome != outcome:
            reason = self.span.attributes.get(names.OUTCOME_REASON, "no reason given")
            raise AssertionError(f"the run should have been {outcome}, but was {self.outcome}: {reason}")

    def _called(self) -> str:
        tools = [span.attributes.get(names.TOOL_NAME) for span in self.spans]
        return f"tools called: {sorted({str(tool) for tool in tools if tool}) or 'none'}"


def _has(call: dict[str, Any], arguments: dict[str, Any]) -> bool:
    return all(name in call and call[name] == value for name, value in arguments.items())


def _arguments(span: RecordedSpan) -> dict[str, Any]:
    text = span.attributes.get(names.TOOL_ARGUMENTS)
    return json.loads(text) if isinstance(text, str) else {}


@dataclass
class Recorder:
    """Takes ended spans in place of the exporter.

    Args:
        encoder: settles what would leave the process.
        rules: what may leave.
    """

    encoder: Encoder
    rules: ContentRules
    spans: list[RecordedSpan] = field(default_factory=list[RecordedSpan])
    seq: Iterable[int] = field(default_factory=lambda: itertools.count(1))

    def put(self, span: ReadableSpan, capture: Capture | None) -> None:
        """Takes one ended span."""
        self.spans.append(self._recorded(span, self.rules.capture if capture is None else capture))

    def _recorded(self, span: ReadableSpan, capture: Capture) -> RecordedSpan:
        context = span.get_span_context()
        events = self.rules.events(span.events, capture)
        scope = span.instrumentation_scope
        return RecordedSpan(
            name=span.name,
            trace_id="" if context is None else f"{context.trace_id:032x}",
            span_id="" if context is None else f"{context.span_id:016x}",
            parent_id=None if span.parent is None else f"{span.parent.span_id:016x}",
            scope="" if scope is None else scope.name,
            start_ns=span.start_time or 0,
            end_ns=span.end_time or 0,
            status=span.status.status_code.name.lower(),
            message=self.rules.message(span.status.description, capture),
            attributes=self.encoder.describe(span, next(iter(self.seq)), capture),
            events=tuple(RecordedEvent(event.name, event.timestamp, dict(event.attributes or {})) for event in events),
        )

    def flush(self, timeout_s: float) -> bool:
        """Has nothing to wait for."""
        return True

    def shutdown(self) -> None:
        """Has nothing to stop."""

    @property
    def runs(self) -> list[RecordedRun]:
        """The runs that have ended, in the order they ended."""
        return [
            RecordedRun(run, tuple(span for span in self.spans if _run_id(span) == _run_id(run)))
            for run in self.spans
            if run.operation == names.OPERATION_INVOKE_AGENT and run.scope == "loopwatch"
        ]

    @property
    def run(self) -> RecordedRun:
        """The only run.

        Raises:
            AssertionError: there is none, or more than one.
        """
        runs = self.runs
        if len(runs) != 1:
            raise AssertionError(f"one run was expected, but {len(runs)} have ended")
        return runs[0]

    def named(self, name: str) -> list[RecordedSpan]:
        """Returns the spans of a name."""
        return [span for span in self.spans if span.name == name]

    def tree(self) -> str:
        """Returns the spans' names, indented below their parents, in the order they started."""
        children: dict[str | None, list[RecordedSpan]] = {}
        known = {span.span_id for span in self.spans}
        for span in sorted(self.spans, key=lambda span: (span.start_ns, span.span_id)):
            children.setdefault(span.parent_id if span.parent_id in known else None, []).append(span)
        return "\n".join(_lines(children, None, 0))


def _lines(children: Mapping[str | None, list[RecordedSpan]], parent: str | None, depth: int) -> Iterable[str]:
    for span in children.get(parent, []):
        yield "  " * depth + span.name
        yield from _lines(children, span.span_id, depth + 1)


def _run_id(span: RecordedSpan) -> object:
    return span.attributes.get(names.RUN_ID)


@contextmanager
def record(
    *,
    capture: CaptureChoice = True,
    redact: bool = True,
    environment: str | None = None,
    keep_attributes: tuple[str, ...] = (),
    raise_faults: bool = True,
) -> Generator[Recorder]:
    """Records in memory what the code inside does, whatever is configured around it.

    Args:
        capture: kinds of content to record, as for `configure`; everything by default.
        redact: whether secrets are taken out, as for `configure`.
        environment: as for `configure`.
        keep_attributes: as for `configure`.
        raise_faults: whether faults of Loopwatch's own are raised instead of swallowed.

    Yields:
        The recorder.
    """
    decided = settings.load(
        {},
        service_name="test",
        environment=environment,
        capture_choice=False if capture is None else capture,
        redact=redact,
        keep_attributes=keep_attributes,
    )
    rules = process.rules_of(decided)
    resource = Resource.create({names.SERVICE_NAME: "test"})
    recorder = Recorder(Encoder(resource.attributes, rules), rules)
    numbers, ticks = itertools.count(1), itertools.count(FIRST_TICK_NS, TICK_NS)
    tracing = Tracing(
        provider_for(resource), resource, process.take_own, lambda bits: next(numbers), lambda: next(ticks)
    )
    before = process.replace(Process(decided, rules, tracing, recorder, PriceBook(None), Breakers(None, "test")))
    raising = faults.raise_faults(raise_faults)
    try:
        yield recorder
    finally:
        faults.raise_faults(raising)
        process.replace(before)
