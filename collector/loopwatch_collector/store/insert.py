"""Rows into tables: column-oriented, one insert per partition, the identity of each row its own guard.

Only an insert into one partition is atomic, so rows are split by project and UTC day. An insert that was cut off
is repaired by doing it again: the tables replace rows of equal identity.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from clickhouse_connect.datatypes.registry import get_from_name
from clickhouse_connect.driver.client import Client

from loopwatch_collector.store.client import engine_errors
from loopwatch_collector.store.rows import CONTENT_COLUMNS, SPAN_COLUMNS, SPAN_INDEX, Column

_DAY_NS: Final = 86_400_000_000_000
_PROJECT: Final = SPAN_INDEX["project"]
_START: Final = SPAN_INDEX["start_time"]
_CONTENT_DAY: Final = [column.name for column in CONTENT_COLUMNS].index("day")

# Sorting out duplicates while inserting costs 3 µs a row and is done by merges and FINAL anyway.
_SETTINGS: Final[dict[str, Any]] = {"optimize_on_insert": 0}


def spans_by_partition(rows: Iterable[list[Any]]) -> list[list[list[Any]]]:
    """Splits span rows into groups of one project and one UTC day each."""
    groups: dict[tuple[str, int], list[list[Any]]] = {}
    for row in rows:
        groups.setdefault((row[_PROJECT], row[_START] // _DAY_NS), []).append(row)
    return list(groups.values())


def contents_by_partition(rows: Iterable[Sequence[Any]]) -> list[list[Sequence[Any]]]:
    """Splits content rows into groups of one project and one day each."""
    groups: dict[tuple[str, Any], list[Sequence[Any]]] = {}
    for row in rows:
        groups.setdefault((row[0], row[_CONTENT_DAY]), []).append(row)
    return list(groups.values())


def insert_spans(client: Client, rows: Sequence[Sequence[Any]]) -> None:
    """Inserts span rows of one partition."""
    _insert(client, "spans", SPAN_COLUMNS, rows)


def insert_contents(client: Client, rows: Sequence[Sequence[Any]]) -> None:
    """Inserts content rows of one partition."""
    _insert(client, "contents", CONTENT_COLUMNS, rows)


def _insert(client: Client, table: str, columns: Sequence[Column], rows: Sequence[Sequence[Any]]) -> None:
    with engine_errors():
        client.insert(
            table,
            [list(values) for values in zip(*rows, strict=True)],
            column_names=[column.name for column in columns],
            column_types=[get_from_name(column.clickhouse_type) for column in columns],
            column_oriented=True,
            settings=_SETTINGS,
        )
