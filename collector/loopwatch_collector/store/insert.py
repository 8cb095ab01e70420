"""Rows into tables, one insert per partition.

Only an insert into one partition is atomic, so rows are split by project and UTC day. An insert that was cut off
is repaired by doing it again: the tables replace rows of equal identity.
"""

from collections.abc import Callable, Iterable, Sequence
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
    for partition in _partitions(rows, lambda row: (row[0], row[_CONTENT_DAY])):
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
    for partition in _partitions(rows, lambda row: (row[0], row[time_at] // _DAY_NS)):
        connection.insert_block(table, columns, partition)


def _partitions(
    rows: Iterable[Sequence[Any]], partition_of: Callable[[Sequence[Any]], tuple[Any, ...]]
) -> Iterable[list[Sequence[Any]]]:
    groups: dict[tuple[Any, ...], list[Sequence[Any]]] = {}
    for row in rows:
        groups.setdefault(partition_of(row), []).append(row)
    return groups.values()
