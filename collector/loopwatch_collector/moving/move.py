"""Copies a store's tables, a project's day at a time, and compares what arrived.

A day whose rows are equal on both sides is done: nothing else is remembered of how far a move has come. A copy that
was cut off is repaired by doing it again, because the tables replace rows of equal identity.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from functools import cache
from importlib import resources
from typing import Any, Final, NamedTuple

from loopwatch_collector.moving.errors import MoveDiffers
from loopwatch_collector.store.client import Connection

# The time that a table's partitions are the days of; small tables are copied whole. What is of no use elsewhere
# stays: leases, notes between collectors, prices on their way into `spans`.
BY_DAY: Final = {
    "spans": "start_time",
    "contents": "day",
    "runs": "start_time",
    "log_events": "time",
    "metric_points": "time",
    "dead_letters": "received_at",
}
WHOLE: Final = ("verdicts", "alerts", "alert_rules", "alert_remarks", "deletions", "repriced_days", "rates")
LEFT_BEHIND: Final = ("leases", "run_extents", "repriced_calls", "schema_migrations")


class Piece(NamedTuple):
    """What is copied at once.

    Attributes:
        table: whose rows.
        project: whose data, or "" for a whole table.
        day: which day, or None for a whole table.
        rows: how many rows the embedded store has of it.
    """

    table: str
    project: str
    day: date | None
    rows: int

    @property
    def name(self) -> str:
        """As it is told to the operator."""
        return self.table if self.day is None else f"{self.table} of {self.project}, {self.day}"


class Moved(NamedTuple):
    """How a piece came out: whether it had to be copied, or was there already."""

    piece: Piece
    was_copied: bool


def pieces(source: Connection) -> list[Piece]:
    """Lists what a store holds, the tables in the order in which they are copied."""
    by_day = [
        Piece(table, project, day, rows)
        for table, time in BY_DAY.items()
        for project, day, rows in source.rows(_statement("days"), {"table": table, "time": time})
    ]
    whole = [Piece(table, "", None, _digest(source, Piece(table, "", None, 0))[0]) for table in WHOLE]
    return [*by_day, *(piece for piece in whole if piece.rows)]


def move(source: Connection, target: Connection, wanted: Sequence[Piece]) -> Iterator[Moved]:
    """Copies pieces that the target does not have, and compares each.

    Args:
        source: of the embedded store, to which nothing is written meanwhile.
        target: of the server, its tables at the same version.
        wanted: what to copy, of `pieces`.

    Yields:
        Each piece, once both stores have equal rows of it.

    Raises:
        MoveDiffers: the target has other rows although they were just copied.
    """
    for piece in wanted:
        sent = _digest(source, piece)
        if _digest(target, piece) == sent:
            yield Moved(piece, was_copied=False)
            continue
        with source.stream(*_rows_of(piece)) as rows:
            target.insert_native(piece.table, iter(_reader(rows), b""))
        arrived = _digest(target, piece)
        if arrived != sent:
            raise MoveDiffers(
                f"{piece.name}: {sent[0]} rows were sent and {arrived[0]} are there, or their values differ; "
                "does anything else write to the server's tables? The embedded store is as it was"
            )
        yield Moved(piece, was_copied=True)


_CHUNK_BYTES: Final = 1 << 20


def _reader(rows: Any) -> Callable[[], bytes]:
    return lambda: rows.read(_CHUNK_BYTES)


def _rows_of(piece: Piece) -> tuple[str, dict[str, Any]]:
    return _statement("table_rows" if piece.day is None else "day_rows"), _places(piece)


def _digest(connection: Connection, piece: Piece) -> tuple[int, int]:
    name = "table_digest" if piece.day is None else "day_digest"
    [(rows, digest)] = connection.rows(_statement(name), _places(piece))
    return rows, digest


def _places(piece: Piece) -> dict[str, Any]:
    if piece.day is None:
        return {"table": piece.table}
    return {"table": piece.table, "project": piece.project, "day": piece.day, "time": BY_DAY[piece.table]}


@cache
def _statement(name: str) -> str:
    return (resources.files("loopwatch_collector.moving") / "sql" / f"{name}.sql").read_text(encoding="utf-8")
