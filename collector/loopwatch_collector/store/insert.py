"""Rows into tables, one insert per partition.

Only an insert into one partition is atomic, so rows are split by project and UTC day. An insert that was cut off
is repaired by doing it again: the tables replace rows of equal identity.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from loopwatch_collector.store.client import Connection
from loopwatch_collector.store.rows import (
    CONTENT_COLUMNS,
    LOG_EVENT_COLUMNS,
    METRIC_POINT_COLUMNS,
    SPAN_COLUMNS,
    SPAN_INDEX,
    Column,
)

_DAY_NS: Final = 86_400_000_000_000
_START: Final = SPAN_INDEX["start_time"]
_CONTENT_DAY: Final = [column.name for column in CONTENT_COLUMNS].index("day")
_LOG_TIME: Final = [column.name for column in LOG_EVENT_COLUMNS].index("time")
_POINT_TIME: Final = [column.name for column in METRIC_POINT_COLUMNS].index("time")


def insert_spans(connection: Connection, rows: Iterable[Sequence[Any]]) -> None:
    """Stores span rows of any projects and days."""
    _insert_by_day(connection, "spans", SPAN_COLUMNS, rows, _START)


def insert_contents(connection: Connection, rows: Iterable[Sequence[Any]]) -> None:
    """Stores content rows of any projects and days."""
    for partition in _partitions(list(rows), _CONTENT_DAY, 1):
        connection.insert_block("contents", CONTENT_COLUMNS, partition)


def insert_log_events(connection: Connection, rows: Iterable[Sequence[Any]]) -> None:
    """Stores log events of any projects and days."""
    _insert_by_day(connection, "log_events", LOG_EVENT_COLUMNS, rows, _LOG_TIME)


def insert_metric_points(connection: Connection, rows: Iterable[Sequence[Any]]) -> None:
    """Stores metric points of any projects and days."""
    _insert_by_day(connection, "metric_points", METRIC_POINT_COLUMNS, rows, _POINT_TIME)


def _insert_by_day(
    connection: Connection, table: str, columns: Sequence[Column], rows: Iterable[Sequence[Any]], time_at: int
) -> None:
    for partition in _partitions(list(rows), time_at, _DAY_NS):
        connection.insert_block(table, columns, partition)


def _partitions(rows: list[Sequence[Any]], time_at: int, day: int) -> Iterable[list[Sequence[Any]]]:
    """Rows by project, their first column, and by what a day is of the column at `time_at`."""
    projects, days = [row[0] for row in rows], [row[time_at] // day for row in rows]
    if len(set(projects)) == 1 and len(set(days)) == 1:  # nearly always, and known in a fifth of the time
        return [rows]
    groups: dict[tuple[Any, int], list[Sequence[Any]]] = {}
    for project, day_of_row, row in zip(projects, days, rows, strict=True):
        groups.setdefault((project, day_of_row), []).append(row)
    return groups.values()
