"""Deletes a conversation, a customer or a user, and proves it by counting.

Order matters: contents, log events, verdicts and run rows go before the spans that lead to them, so that a deletion
cut short finds them again. Which tables are reached, and how, is in `tables.py`. The engine's mutations are not
crash-atomic, so a finished deletion counts as proved only after a count that followed a restart found nothing.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from loopwatch_collector.retention.errors import InvalidDeletion
from loopwatch_collector.retention.statements import statement
from loopwatch_collector.store.client import Connection
from loopwatch_collector.store.rows import Column
from loopwatch_collector.write.aliases import attributes_of

FIELDS: Final = ("conversation", "customer", "user")
_WAIT: Final = {"mutations_sync": 2}
_RUNS_AT_ONCE: Final = 2_000
_TRACES_AT_ONCE: Final = 2_000
_NAMING_TABLES: Final = ("metric_points", "verdicts", "alerts", "alert_remarks")
# What names a user beside the attributes that are read as the user's id.
_MORE_ATTRIBUTES: Final = {"user": ("user.email", "user.account_uuid", "user.account_id", "user.hash")}
_COLUMNS: Final = (
    Column("project", "LowCardinality(String)", "default"),
    Column("deletion_id", "String", ""),
    Column("field", "LowCardinality(String)", ""),
    Column("value", "String", ""),
    Column("requested_at", "DateTime64(3, 'UTC')", 0),
    Column("finished_at", "Nullable(DateTime64(3, 'UTC'))", None),
    Column("verified_at", "Nullable(DateTime64(3, 'UTC'))", None),
    Column("runs", "UInt64", 0),
    Column("spans", "UInt64", 0),
    Column("contents", "UInt64", 0),
    Column("log_events", "UInt64", 0),
    Column("metric_points", "UInt64", 0),
    Column("verdicts", "UInt64", 0),
    Column("row_version", "UInt64", 0),
)


@dataclass(frozen=True, slots=True)
class Deletion:
    """One request to delete, and how far it got.

    Attributes:
        project: whose data.
        deletion_id: its name in the API.
        field: one of `FIELDS`.
        value: the conversation's, customer's or user's id.
        requested_at: when it was asked for.
        finished_at: when a count found nothing left; None before.
        verified_at: when a count after a restart found nothing left; None before.
        runs: runs deleted.
        spans: spans deleted.
        contents: messages, arguments and results deleted.
        log_events: events out of logs deleted.
        metric_points: points of metrics deleted.
        verdicts: verdicts deleted.
    """

    project: str
    deletion_id: str
    field: str
    value: str
    requested_at: datetime
    finished_at: datetime | None = None
    verified_at: datetime | None = None
    runs: int = 0
    spans: int = 0
    contents: int = 0
    log_events: int = 0
    metric_points: int = 0
    verdicts: int = 0


def request(connection: Connection, project: str, field: str, value: str, now: datetime) -> Deletion:
    """Writes down a request; nothing is deleted yet.

    Args:
        connection: this thread's.
        project: whose data.
        field: one of `FIELDS`.
        value: the id.
        now: the time of the request.

    Returns:
        The request.

    Raises:
        InvalidDeletion: the field is none of them, or the value is empty.
    """
    if field not in FIELDS:
        raise InvalidDeletion(f"there is no field '{field}' to delete by; choose {', '.join(FIELDS)}")
    if not value:
        raise InvalidDeletion(f"the {field} is empty; name the one whose data is to be deleted")
    return _write(connection, Deletion(project, secrets.token_hex(8), field, value, now))


def requests(connection: Connection, project: str) -> list[Deletion]:
    """The requests of a project, the latest first; of all projects when the project is empty."""
    return [Deletion(*row) for row in connection.rows(statement("requests"), {"project": project})]


def carry_out(connection: Connection, deletion: Deletion) -> Deletion:
    """Deletes everything of the request that is stored now; may be called again after it was cut short.

    Args:
        connection: this thread's.
        deletion: the request.

    Returns:
        The request with what was deleted, finished if a count found nothing left.
    """
    run_ids = _runs_of(connection, deletion)
    for start in range(0, len(run_ids), _RUNS_AT_ONCE):
        deletion = _delete_runs(connection, deletion, run_ids[start : start + _RUNS_AT_ONCE])
    deletion = _delete_named(connection, _delete_named_log_events(connection, deletion))
    left = remaining(connection, deletion)
    return _write(connection, deletion if left else replace(deletion, finished_at=datetime.now(UTC)))


def verify(connection: Connection, deletion: Deletion) -> Deletion:
    """Counts again after a restart: proved when nothing is left, deleted again otherwise."""
    if remaining(connection, deletion):
        return carry_out(connection, replace(deletion, finished_at=None))
    return _write(connection, replace(deletion, verified_at=datetime.now(UTC)))


def remaining(connection: Connection, deletion: Deletion) -> int:
    """How many stored rows still name the one to be forgotten."""
    (counts,) = connection.rows(statement("remaining"), _whose(deletion))
    return sum(counts)


def _runs_of(connection: Connection, deletion: Deletion) -> list[str]:
    found = {row[0] for row in connection.rows(statement("runs_of"), _whose(deletion))}
    newest = found
    while newest:
        below = connection.rows(statement("runs_below"), {"project": deletion.project, "run_ids": sorted(newest)})
        newest = {row[0] for row in below} - found
        found |= newest
    return sorted(found)


def _delete_runs(connection: Connection, deletion: Deletion, run_ids: Sequence[str]) -> Deletion:
    parameters: dict[str, Any] = {"project": deletion.project, "run_ids": list(run_ids)}
    ((spans, contents, log_events, verdicts, traces, kept_contents, kept_spans),) = connection.rows(
        statement("extent"), parameters
    )
    of_traces = {"project": deletion.project, "traces": traces}
    connection.run(statement("delete_contents"), {**of_traces, "kept_contents": kept_contents}, _WAIT)
    connection.run(statement("delete_log_events"), {**of_traces, "kept_spans": kept_spans}, _WAIT)
    for table in ("verdicts", "run_extents", "runs", "spans"):
        connection.run(statement(f"delete_{table}"), parameters, _WAIT)
    return replace(
        deletion,
        runs=deletion.runs + len(run_ids),
        spans=deletion.spans + spans,
        contents=deletion.contents + contents,
        log_events=deletion.log_events + log_events,
        verdicts=deletion.verdicts + verdicts,
    )


def _delete_named_log_events(connection: Connection, deletion: Deletion) -> Deletion:
    """Deletes events that name them but belong to no span of theirs: it never came, or it is another's."""
    whose = _whose(deletion)
    while True:
        parameters = {**whose, "most": _TRACES_AT_ONCE}
        ((traces, log_events, contents),) = connection.rows(statement("named_log_events"), parameters)
        if not traces:
            return deletion
        if contents:
            of_contents = {"project": deletion.project, "traces": traces, "contents": contents}
            connection.run(statement("delete_named_contents"), of_contents, _WAIT)
        connection.run(statement("delete_named_log_events"), {**whose, "traces": traces}, _WAIT)
        deletion = replace(
            deletion, log_events=deletion.log_events + log_events, contents=deletion.contents + len(contents)
        )


def _delete_named(connection: Connection, deletion: Deletion) -> Deletion:
    whose = _whose(deletion)
    ((metric_points, verdicts),) = connection.rows(statement("named"), whose)
    for table in _NAMING_TABLES:
        connection.run(statement(f"delete_named_{table}"), whose, _WAIT)
    return replace(
        deletion,
        metric_points=deletion.metric_points + metric_points,
        verdicts=deletion.verdicts + verdicts,
    )


def _whose(deletion: Deletion) -> dict[str, Any]:
    """Parameters of every statement that looks for rows which name them."""
    names = (*attributes_of(f"{deletion.field}_id"), *_MORE_ATTRIBUTES.get(deletion.field, ()))
    return {
        "project": deletion.project,
        "field": deletion.field,
        "value": deletion.value,
        "attributes": [*names, *(f"resource.{name}" for name in names)],
    }


def _write(connection: Connection, deletion: Deletion) -> Deletion:
    values = [getattr(deletion, column.name, None) for column in _COLUMNS[:-1]]
    version = int(datetime.now(UTC).timestamp() * 1_000_000)
    connection.insert("deletions", _COLUMNS, [[*values, version]])
    return deletion
