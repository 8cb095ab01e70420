"""Reads runs: lists of them, one with its children, one with its spans and contents."""

import re
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

from loopwatch_collector.errors import NotFound
from loopwatch_collector.queries import log_events
from loopwatch_collector.queries.conditions import condition_of
from loopwatch_collector.queries.errors import InvalidParameter
from loopwatch_collector.queries.filter.compile import FILTER_PLACE
from loopwatch_collector.queries.filter_lines import without_unused_filters
from loopwatch_collector.queries.reading import reading
from loopwatch_collector.queries.runner import ONE_THREAD, READ_SETTINGS, SEARCHING, plain, settings_for
from loopwatch_collector.queries.times import format_time
from loopwatch_collector.queries.variants import variant
from loopwatch_collector.store.client import Connection
from loopwatch_collector.store.rows import NO_SPAN

LIST_FILTERS: Final = ("environment", "agent", "version", "model", "customer", "conversation", "outcome")
MAX_SPANS: Final = 20_000
_DAY_NS: Final = 86_400_000_000_000
_FIRST_STRETCH_NS: Final = _DAY_NS
_STRETCH_GROWTH: Final = 8
# What is found is few, and the table small: looking it up in the table's indexes would wait until one thread has found
# all of it.
_SEARCHING: Final[Mapping[str, Any]] = {**SEARCHING, "use_index_for_in_with_subqueries": 0}
_CURSOR: Final = re.compile(r"(-?\d{1,38})_(\d{1,19})_(.*)", re.DOTALL)
RunOrder = Literal["start_time", "duration", "cost", "tokens", "iterations", "tool_errors"]


class RunNotFound(NotFound):
    """The project has no run of that id."""


class _Place(NamedTuple):
    """Where a run stands in a list: by what it is ordered by (larger first), then its start, then its id."""

    value: int
    start_ns: int
    run_id: str


_BEFORE_ALL: Final = _Place(10**38, 2**63 - 1, "")


class RunPage(NamedTuple):
    """Some runs, in the order asked for, and where the next page starts (None: there are no more)."""

    runs: list[dict[str, Any]]
    next_cursor: str | None


def list_runs(
    connection: Connection,
    project: str,
    from_ns: int,
    to_ns: int,
    filters: Mapping[str, Sequence[str]],
    limit: int,
    cursor: str = "",
    filter_text: str = "",
    order_by: RunOrder = "start_time",
    *,
    descending: bool = True,
) -> RunPage:
    """Lists runs that started in a range, the latest first or in another order.

    Of the latest, the last day is read first and earlier ones only when it does not have enough, so that the latest
    runs of a long range cost what they cost in a short one.

    Args:
        connection: this thread's.
        project: whose runs.
        from_ns: start of the range, ns since the epoch, included.
        to_ns: end of the range, ns since the epoch, excluded.
        filters: values by dimension (LIST_FILTERS); any of them matches.
        limit: runs of one page.
        cursor: `next_cursor` of the page before.
        filter_text: a line of the filter language; empty for none.
        order_by: what the runs are ordered by; equal ones by their start, the latest first.
        descending: whether the largest comes first. Runs without a cost come last either way.

    Raises:
        InvalidParameter: the cursor is not one of ours, or the filter cannot be understood.
    """
    condition = condition_of(connection, project, filter_text)
    sql = variant(reading("list_runs"), "order_by", order_by).replace(FILTER_PLACE, condition.sql)
    before = _read_cursor(cursor) if cursor else _BEFORE_ALL
    is_latest_first = order_by == "start_time" and descending
    found: list[dict[str, Any]] = []
    now_ns = time.time_ns()
    for start_ns, end_ns in (
        _stretches(from_ns, min(to_ns - 1, before.start_ns), now_ns) if is_latest_first else [(from_ns, to_ns - 1)]
    ):
        parameters = {
            **condition.parameters,
            **{name: list(filters.get(name, ())) for name in LIST_FILTERS},
            "project": project,
            "from_ns": start_ns,
            "to_ns": end_ns,
            "order_by": order_by,
            "descending": descending,
            "before_place": before.value,
            "before_ns": before.start_ns,
            "before_run_id": before.run_id,
            "now_ns": now_ns,
            "page_limit": limit + 1 - len(found),
        }
        settings = _SEARCHING if filter_text else settings_for(connection, start_ns, end_ns, filter_text)
        found += connection.records(without_unused_filters(sql, parameters), parameters, settings)
        if len(found) > limit:
            break
    last = found[limit - 1] if len(found) > limit else None
    next_cursor = f"{last['place']}_{last['start_ns']}_{last['run_id']}" if last else None
    return RunPage([_summary(record) for record in found[:limit]], next_cursor)


def get_run(connection: Connection, project: str, run_id: str) -> dict[str, Any]:
    """Reads one run and the runs it started.

    Raises:
        RunNotFound: the project has no such run.
    """
    own = _own(connection, "get_run", project, run_id)
    parameters = {
        "project": project,
        "run_id": run_id,
        "first_ns": own["first_span_ns"],
        "last_ns": own["last_span_ns"],
        "now_ns": time.time_ns(),
    }
    children = connection.records(reading("child_runs"), parameters, ONE_THREAD)
    return {**_summary(own), "child_runs": [_summary(child) for child in children]}


def get_spans(connection: Connection, project: str, run_id: str, *, with_content: bool) -> dict[str, Any]:
    """Reads the spans of one run, in the order they started.

    Args:
        connection: this thread's.
        project: whose run.
        run_id: the run.
        with_content: whether to read the messages, arguments and results too.

    Returns:
        `run_id`, `spans`, `contents` (body by hash, hex) and `truncated` (whether there are more than MAX_SPANS).

    Raises:
        RunNotFound: the project has no such run.
    """
    own = _own(connection, "run_extent", project, run_id)
    extent: dict[str, Any] = {"project": project, "first_ns": own["first_span_ns"], "last_ns": own["last_span_ns"]}
    records = connection.records(
        reading("run_spans"), {**extent, "run_id": run_id, "page_limit": MAX_SPANS + 1}, ONE_THREAD
    )
    truncated = len(records) > MAX_SPANS
    records = records[:MAX_SPANS]
    duplicates = set(own["duplicate_span_ids"])
    for record in records:
        record["counted"] = record["kind"] == "model_call" and record["span_id"] not in duplicates
    around = {**extent, "first_ns": max(0, extent["first_ns"] - _DAY_NS), "last_ns": extent["last_ns"] + _DAY_NS}
    if own["log_events"]:
        log_events.join(connection, around, records)
    iterations = _iterations(records)
    return {
        "run_id": run_id,
        "spans": [_span(record, run_id, own["start_ns"], iterations[i]) for i, record in enumerate(records)],
        "contents": _contents(connection, around, records) if with_content else {},
        "truncated": truncated,
    }


def recent_models(connection: Connection, project: str, from_ns: int) -> list[tuple[str, str]]:
    """Returns (provider, model) of every model called since a time."""
    rows = connection.rows(reading("recent_models"), {"project": project, "from_ns": from_ns}, READ_SETTINGS)
    return [(provider, model) for provider, model in rows]


def _stretches(from_ns: int, before_ns: int, now_ns: int) -> Iterable[tuple[int, int]]:
    end, length = before_ns, _FIRST_STRETCH_NS
    while end >= from_ns:
        # What is to come, however far a range reaches, holds no more than the runs of clocks that are wrong.
        start = max(from_ns, min(end, now_ns) - length)
        yield start, end
        end, length = start - 1, length * _STRETCH_GROWTH


def _read_cursor(cursor: str) -> _Place:
    match = _CURSOR.fullmatch(cursor)
    if match is None:
        raise InvalidParameter(f"the cursor '{cursor[:40]}' is not one we gave: pass next_cursor unchanged")
    return _Place(int(match[1]), int(match[2]), match[3])


def _own(connection: Connection, read: str, project: str, run_id: str) -> dict[str, Any]:
    parameters = {"project": project, "run_id": run_id, "now_ns": time.time_ns()}
    records = connection.records(reading(read), parameters, ONE_THREAD)
    if not records:
        raise RunNotFound(f"there is no run '{run_id[:80]}' in this project")
    return records[0]


_NOT_IN_SUMMARY: Final = {"start_ns", "place", "first_span_ns", "last_span_ns"}


def _summary(record: Mapping[str, Any]) -> dict[str, Any]:
    summary = {name: plain(value) for name, value in record.items() if name not in _NOT_IN_SUMMARY}
    summary["start_time"] = format_time(record["start_ns"])
    return summary


def _iterations(records: Sequence[Mapping[str, Any]]) -> list[int]:
    """Numbers the spans of a sender that does not: each counted model call begins an iteration."""
    if any(record["iteration"] for record in records):
        return [record["iteration"] for record in records]
    numbers: list[int] = []
    current = 0
    for record in records:
        current += record["counted"]
        numbers.append(current if record["kind"] in {"model_call", "tool_call"} else 0)
    return numbers


_DROPPED: Final = {"content_roles", "content_hashes", "event_names", "event_times_ns", "event_attributes", "start_ns"}


def _span(record: Mapping[str, Any], run_id: str, run_start_ns: int, iteration: int) -> dict[str, Any]:
    start_ns: int = record["start_ns"]
    parent: bytes = record["parent_span_id"]
    span = {name: plain(value) for name, value in record.items() if name not in _DROPPED}
    return {
        **span,
        "run_id": run_id,
        "parent_span_id": None if parent == NO_SPAN else parent.hex(),
        "start_time": format_time(start_ns),
        "offset_ns": start_ns - run_start_ns,
        "iteration": iteration,
        "tool_retryable": None if record["tool_retryable"] is None else bool(record["tool_retryable"]),
        "content": _content_references(record),
        "events": _events(record, run_start_ns),
    }


def _content_references(record: Mapping[str, Any]) -> dict[str, list[str]]:
    references: dict[str, list[str]] = {}
    for role, content_hash in zip(record["content_roles"], record["content_hashes"], strict=False):
        references.setdefault(role, []).append(f"{content_hash:016x}")
    return references


def _events(record: Mapping[str, Any], run_start_ns: int) -> list[dict[str, Any]]:
    columns = zip(record["event_names"], record["event_times_ns"], record["event_attributes"], strict=False)
    return [
        {"name": name, "time": format_time(at_ns), "offset_ns": at_ns - run_start_ns, "attributes": dict(attributes)}
        for name, at_ns, attributes in columns
    ]


def _contents(
    connection: Connection, extent: Mapping[str, Any], records: Sequence[Mapping[str, Any]]
) -> dict[str, str]:
    hashes_by_trace: dict[str, set[int]] = {}
    for record in records:
        if record["content_hashes"]:
            hashes_by_trace.setdefault(record["trace_id"].hex(), set()).update(record["content_hashes"])
    contents: dict[str, str] = {}
    for trace_id, hashes in hashes_by_trace.items():
        parameters = {**extent, "trace_id": trace_id, "hashes": sorted(hashes)}
        rows = connection.rows(reading("run_contents"), parameters, ONE_THREAD)
        contents.update((f"{content_hash:016x}", plain(body)) for content_hash, body in rows)
    return contents
