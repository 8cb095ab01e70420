"""What plain events tell of a run together: tool calls with their results, and the run's own span.

Every event is a row of its own, written by whichever collector it came to. Before a run is derived its rows are read
and put together: a call's row takes over what its result says, the result's row hides behind it, and the latest
`response` becomes the run's span, which begins with the first event. All of it is a function of the rows, so that
collectors that do it at the same time, or in another order, write the same; and it is done anew for the run whenever
one of its events comes, also again.

Rows that were written meanwhile by another collector are not overlooked for good: each of the two writes its own
events before it reads, so at least one reads both.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from loopwatch_collector import event_parts
from loopwatch_collector.store.client import Connection
from loopwatch_collector.store.event_pairs import Half, pairs_of
from loopwatch_collector.store.insert import insert_spans
from loopwatch_collector.store.rows import NO_SPAN, SPAN_COLUMNS
from loopwatch_collector.store.statements import statement

_MINUTE_NS: Final = 60 * 10**9
_CHANGES_PER_STATEMENT: Final = 2_000

Span = dict[str, Any]
"""A row of `spans` by column; times in ns since the epoch."""


class EventRow(NamedTuple):
    """A row that came as an event, as far as putting it together with others needs it."""

    run_id: str
    trace_id: bytes
    span_id: bytes
    parent_span_id: bytes
    start_ns: int
    duration_ns: int
    row_version: int
    kind: str
    part: str
    tool: str
    call_id: str
    result_event: str
    response_event: str

    @property
    def end_ns(self) -> int:
        """When it ended, ns since the epoch."""
        return self.start_ns + self.duration_ns

    @property
    def place(self) -> tuple[bytes, bytes, int]:
        """What tells its row from others."""
        return self.trace_id, self.span_id, self.start_ns


Stored = Mapping[tuple[bytes, bytes, int], Span]


class Shown(NamedTuple):
    """A row that is to be seen as another kind, or not at all."""

    row: EventRow
    kind: str

    @property
    def sources(self) -> tuple[EventRow, ...]:
        """The rows it is made of."""
        return (self.row,)

    def made(self, stored: Stored) -> Span:
        """The row to write."""
        return {**stored[self.row.place], "kind": self.kind}


class Answered(NamedTuple):
    """A tool call with its result; None: with none after all."""

    call: EventRow
    result: EventRow | None

    @property
    def sources(self) -> tuple[EventRow, ...]:
        """The rows it is made of."""
        return (self.call,) if self.result is None else (self.call, self.result)

    def made(self, stored: Stored) -> Span:
        """The row to write."""
        call = stored[self.call.place]
        kept = [pair for pair in _contents(call) if pair[0] != "result"]
        attributes = {key: text for key, text in call["attributes"].items() if key != event_parts.RESULT_EVENT}
        if self.result is None:
            return _with_content({**call, **_NO_RESULT, "attributes": attributes}, kept)
        result = stored[self.result.place]
        kept += [
            pair for pair in zip(result["content_roles"], result["content_hashes"], strict=True) if pair[0] == "result"
        ]
        tool = call["tool"] if call["tool"] != event_parts.UNKNOWN_TOOL else result["tool"]
        answered: Span = {
            **call,
            **{name: result[name] for name in _NO_RESULT},
            "duration_ns": max(0, self.result.end_ns - self.call.start_ns),
            "tool": tool,
            "name": f"execute_tool {tool}",
            "tool_call_id": call["tool_call_id"] or result["tool_call_id"],
            "attributes": {**attributes, event_parts.RESULT_EVENT: self.result.span_id.hex()},
        }
        if result["tool_outcome"] == "error":  # then nothing was handed over
            answered["escalation_reason"] = ""
        return _with_content(answered, kept)


class Ended(NamedTuple):
    """The run's own span, as its latest response tells it."""

    response: EventRow
    start_ns: int

    @property
    def sources(self) -> tuple[EventRow, ...]:
        """The rows it is made of."""
        return (self.response,)

    def made(self, stored: Stored) -> Span:
        """The row to write."""
        response = stored[self.response.place]
        told = {event_parts.PART: event_parts.RUN, event_parts.RESPONSE_EVENT: self.response.span_id.hex()}
        return {
            **response,
            "span_id": self.response.parent_span_id,
            "parent_span_id": NO_SPAN,
            "kind": "run",
            "start_time": self.start_ns,
            "duration_ns": self.response.end_ns - self.start_ns,
            "attributes": {**response["attributes"], **told},
        }


Change = Shown | Answered | Ended

# What a call's row has of its result, and what it says while it waits.
_NO_RESULT: Final[Span] = {
    "duration_ns": 0,
    "status": "unset",
    "error_type": "",
    "error_message": "",
    "tool_outcome": "success",
    "tool_retryable": None,
    "result_hash": "",
    "result_bytes": 0,
}


def assemble(connection: Connection, project: str, runs: Mapping[str, tuple[int, int]], row_version: int) -> bool:
    """Puts together what events tell of some runs.

    Args:
        connection: this thread's.
        project: whose runs.
        runs: from run ids to where their rows lie: first and last start, ns since the epoch.
        row_version: for the rows it writes; those that have a higher one get one above it.

    Returns:
        Whether there was anything to write.
    """
    stretch = {
        "project": project,
        "run_ids": list(runs),
        "first_ns": min(first for first, _ in runs.values()),
        "last_ns": max(last for _, last in runs.values()),
    }
    rows = [EventRow(*row) for row in connection.rows(statement("event_rows"), stretch)]
    by_run: dict[str, list[EventRow]] = {}
    for row in rows:
        by_run.setdefault(row.run_id, []).append(row)
    changes = [change for of_run in by_run.values() for change in changes_of(of_run)]
    if not changes:
        return False
    version = max(row_version, *(row.row_version + 1 for row in rows))
    for start in range(0, len(changes), _CHANGES_PER_STATEMENT):
        some = changes[start : start + _CHANGES_PER_STATEMENT]
        stored = _whole(connection, stretch, some)
        made = ({**change.made(stored), "row_version": version} for change in some)
        insert_spans(connection, [[span[column.name] for column in SPAN_COLUMNS] for span in made])
    return True


def changes_of(rows: Sequence[EventRow]) -> list[Change]:
    """What is to be written so that the rows of one run tell what its events do.

    Args:
        rows: all of the run that came as events.
    """
    responses = [row for row in rows if row.part == event_parts.RESPONSE]
    run_ids = {response.parent_span_id for response in responses}
    first: dict[bytes, EventRow] = {}
    for row in sorted(rows, key=lambda row: row.start_ns):
        if row.span_id not in run_ids:
            first.setdefault(row.span_id, row)
    # A record that does not say when it began, and came to two collectors, began twice.
    again = [row for row in rows if row.span_id not in run_ids and row is not first[row.span_id]]
    changes: list[Change] = [*_shown((row, event_parts.HIDDEN_KIND) for row in again)]
    changes += _tool_changes(first.values())
    if responses:
        begun_ns = min(row.start_ns for row in first.values())
        changes += _run_changes(responses, [row for row in rows if row.span_id in run_ids], begun_ns)
    return changes


def _shown(wanted: Iterable[tuple[EventRow, str]]) -> list[Shown]:
    return [Shown(row, kind) for row, kind in wanted if row.kind != kind]


def _tool_changes(rows: Iterable[EventRow]) -> list[Change]:
    results = {row.span_id: row for row in rows if row.part == event_parts.RESULT}
    known = {span_id.hex() for span_id in results}
    # A call whose result is not among the rows keeps it: it was put together before results had rows of their own.
    calls = {
        row.span_id: row
        for row in rows
        if row.part == event_parts.CALL and (not row.result_event or row.result_event in known)
    }
    pairs = pairs_of(
        (Half(row.span_id, row.start_ns, row.tool, row.call_id) for row in calls.values()),
        (Half(row.span_id, row.end_ns, row.tool, row.call_id) for row in results.values()),
    )
    changes: list[Change] = []
    for span_id, call in calls.items():
        result_id = pairs.get(span_id, b"")
        if call.result_event != result_id.hex():
            changes.append(Answered(call, results.get(result_id)))
    given = set(pairs.values())
    kinds = ((row, event_parts.HIDDEN_KIND if row.span_id in given else "tool_call") for row in results.values())
    return [*changes, *_shown(kinds)]


def _run_changes(responses: list[EventRow], runs: list[EventRow], begun_ns: int) -> list[Change]:
    latest = max(responses, key=lambda row: (row.end_ns, row.span_id))
    wanted = (begun_ns, latest.end_ns - begun_ns, latest.span_id.hex(), "run")
    changes: list[Change] = []
    if all((row.start_ns, row.duration_ns, row.response_event, row.kind) != wanted for row in runs):
        changes.append(Ended(latest, begun_ns))
    # One that began in another minute is another row, and has to go; one of the same minute is replaced.
    stale = (row for row in runs if row.start_ns // _MINUTE_NS != begun_ns // _MINUTE_NS)
    return [*changes, *_shown((row, event_parts.HIDDEN_KIND) for row in stale)]


def _whole(connection: Connection, stretch: Mapping[str, Any], changes: Iterable[Change]) -> Stored:
    span_ids = {row.span_id.hex() for change in changes for row in change.sources}
    found = connection.records(statement("event_spans"), {**stretch, "span_ids": sorted(span_ids)})
    return {(row["trace_id"], row["span_id"], row["start_time"]): row for row in found}


def _contents(span: Span) -> list[tuple[str, int]]:
    return list(zip(span["content_roles"], span["content_hashes"], strict=True))


def _with_content(span: Span, contents: Sequence[tuple[str, int]]) -> Span:
    span["content_roles"] = [role for role, _ in contents]
    span["content_hashes"] = [content_hash for _, content_hash in contents]
    return span
