"""What is known of runs that come as single events: when they began, and which tool calls wait for their result."""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from loopwatch_collector.receive.events_body import Event, ns_of

_MAX_TRACES: Final = 20_000
_MAX_CALLS: Final = 1_000  # of one trace


@dataclass(slots=True)
class ToolCall:
    """A tool call and what is known of it.

    Attributes:
        span_id: 8 bytes.
        start_ns: ns since the epoch; with the span's id it makes the identity of the stored row.
        tool: its name.
        call_id: as the sender names the call; "" when it does not.
        arguments: what it was called with, as text; None when nobody said.
        result_of: the id of the event that brought its result; b"" while it waits.
        orphan: the event of a result whose call is not known yet; None else.
    """

    span_id: bytes
    start_ns: int
    tool: str
    call_id: str = ""
    arguments: str | None = None
    result_of: bytes = b""
    orphan: Event | None = None


@dataclass(slots=True)
class Trace:
    """A run as far as it was seen.

    Attributes:
        start_ns: its first event's start, ns since the epoch; once its span was sent, that span's.
        is_rooted: whether its span was sent.
        calls: its tool calls, in the order they were seen.
    """

    start_ns: int
    is_rooted: bool = False
    calls: list[ToolCall] = field(default_factory=list[ToolCall])

    def see(self, start_ns: int) -> None:
        """Notes the start of something that belongs to the run."""
        if not self.is_rooted:
            self.start_ns = min(self.start_ns, start_ns)

    def begin(self, call: ToolCall) -> ToolCall | None:
        """Adds a call, or joins it to what came before: the same event again, or its result.

        Args:
            call: as its event tells it.

        Returns:
            The call to store; None when what is stored says more.
        """
        for known in self.calls:
            if known.span_id == call.span_id:
                return None if known.result_of else known
            if known.orphan and _belong(known, call) and known.start_ns >= call.start_ns:
                known.arguments, known.call_id = call.arguments, call.call_id
                return known
        self._add(call)
        return call

    def end(self, result_id: bytes, told: ToolCall, event: Event) -> ToolCall:
        """Finds the call a result belongs to: the one it names, else the last of its tool that waits.

        Args:
            result_id: the id of the event that brings the result.
            told: the call to take it for when none waits.
            event: the event.

        Returns:
            The call to store.
        """
        again = next((call for call in self.calls if call.result_of == result_id), None)
        if again is not None:
            return again
        end_ns = ns_of(event.timestamp)
        waiting = (call for call in reversed(self.calls) if not call.result_of and _belong(call, told))
        call = next((call for call in waiting if call.start_ns <= end_ns), None)
        if call is None:
            self._add(told)
            told.orphan = event
            call = told
        call.result_of = result_id
        return call

    def _add(self, call: ToolCall) -> None:
        self.calls.append(call)
        if len(self.calls) > _MAX_CALLS:
            del self.calls[0]


def _belong(one: ToolCall, other: ToolCall) -> bool:
    if one.call_id and other.call_id:
        return one.call_id == other.call_id
    return not one.tool or not other.tool or one.tool == other.tool


Lookup = Callable[[str, list[str]], dict[str, Trace]]
"""From a project and run ids to what the store knows of them; run ids it does not know are left out."""


class Traces:
    """The runs that came as events lately; older ones are looked up in the store.

    Args:
        lookup: asked once for runs that are not in memory.
    """

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup
        self._known: OrderedDict[tuple[str, str], Trace] = OrderedDict()

    def missing(self, project: str, run_ids: Iterable[str]) -> list[str]:
        """The run ids that have to be looked up before `get`."""
        return [run_id for run_id in dict.fromkeys(run_ids) if (project, run_id) not in self._known]

    def look_up(self, project: str, run_ids: list[str]) -> dict[str, Trace]:
        """Asks the store; may be called from another thread."""
        return self._lookup(project, run_ids)

    def remember(self, project: str, found: dict[str, Trace]) -> None:
        """Keeps what was looked up, unless the run became known meanwhile."""
        for run_id, trace in found.items():
            self._known.setdefault((project, run_id), trace)

    def get(self, project: str, run_id: str, start_ns: int) -> Trace:
        """The run, begun now if nothing is known of it.

        Args:
            project: whose it is.
            run_id: its id.
            start_ns: when something of it happened, ns since the epoch.
        """
        trace = self._known.setdefault((project, run_id), Trace(start_ns))
        self._known.move_to_end((project, run_id))
        while len(self._known) > _MAX_TRACES:
            self._known.popitem(last=False)
        trace.see(start_ns)
        return trace


def text_of(value: Any) -> str:
    """A text for a message: texts as they are, objects by the field that holds one, else nothing."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        for name in ("text", "content", "message", "response", "plan", "observation", "thought", "reasoning", "output"):
            found: Any = value.get(name)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  # JSON of any shape
            if isinstance(found, str):
                return found
    return ""
