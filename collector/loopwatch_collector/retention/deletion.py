"""Deletes a conversation, a customer or a user, and proves it by counting.

Order matters: contents, verdicts and run rows go before the spans that lead to them, so that a deletion cut short
finds them again. The engine's mutations are not crash-atomic, so a finished deletion counts as proved only after
a count that followed a restart found nothing.
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

FIELDS: Final = ("conversation", "customer", "user")
_WAIT: Final = {"mutations_sync": 2}
_RUNS_AT_ONCE: Final = 2_000
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
    left = remaining(connection, deletion)
    return _write(connection, deletion if left else replace(deletion, finished_at=datetime.now(UTC)))


def verify(connection: Connection, deletion: Deletion) -> Deletion:
    """Counts again after a restart: proved when nothing is left, deleted again otherwise."""
    if remaining(connection, deletion):
        return carry_out(connection, replace(deletion, finished_at=None))
    return _write(connection, replace(deletion, verified_at=datetime.now(UTC)))


def remaining(connection: Connection, deletion: Deletion) -> int:
    """How many stored rows still name the one to be forgotten."""
    parameters = {"project": deletion.project, "field": deletion.field, "value": deletion.value}
    (counts,) = connection.rows(statement("remaining"), parameters)
    return sum(counts)


def _runs_of(connection: Connection, deletion: Deletion) -> list[str]:
    parameters = {"project": deletion.project, "field": deletion.field, "value": deletion.value}
    found = {row[0] for row in connection.rows(statement("runs_of"), parameters)}
    newest = found
    while newest:
        below = connection.rows(statement("runs_below"), {"project": deletion.project, "run_ids": sorted(newest)})
        newest = {row[0] for row in below} - found
        found |= newest
    return sorted(found)


def _delete_runs(connection: Connection, deletion: Deletion, run_ids: Sequence[str]) -> Deletion:
    parameters: dict[str, Any] = {"project": deletion.project, "run_ids": list(run_ids)}
    ((spans, contents, traces, kept_contents),) = connection.rows(statement("extent"), parameters)
    of_contents = {"project": deletion.project, "traces": traces, "kept_contents": kept_contents}
    connection.run(statement("delete_contents"), of_contents, _WAIT)
    for table in ("verdicts", "runs", "spans"):
        connection.run(statement(f"delete_{table}"), parameters, _WAIT)
    return replace(
        deletion,
        runs=deletion.runs + len(run_ids),
        spans=deletion.spans + spans,
        contents=deletion.contents + contents,
    )


def _write(connection: Connection, deletion: Deletion) -> Deletion:
    values = [getattr(deletion, column.name, None) for column in _COLUMNS[:-1]]
    version = int(datetime.now(UTC).timestamp() * 1_000_000)
    connection.insert("deletions", _COLUMNS, [[*values, version]])
    return deletion
