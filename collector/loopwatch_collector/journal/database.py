"""The journal's file: opened, brought to this version, and replaced when it is damaged.

SQLite drops a torn tail of its log by itself. What it cannot mend (a page that rots, a file cut short) is set
aside under another name, and every record that can still be read moves into a new file.
"""

import itertools
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final

from loopwatch_collector.journal.errors import JournalUnavailable
from loopwatch_collector.journal.statements import statement

_LOG = logging.getLogger(__name__)
_LATER_COLUMNS: Final = ("memory_bytes", "crc32")


def connect(path: Path) -> sqlite3.Connection:
    """Opens a connection that keeps the journal's promise: committed means on disk.

    Args:
        path: the database file; made when it is missing.

    Raises:
        JournalUnavailable: it cannot be opened or written.
    """
    try:
        return _opened(path)
    except sqlite3.Error as fault:
        raise JournalUnavailable(f"cannot open the journal {path}: {fault}") from fault


def prepare(path: Path) -> None:
    """Makes the file fit for use: made, brought to this version, or replaced by what is readable of it.

    Args:
        path: the database file.

    Raises:
        JournalUnavailable: it cannot be opened or written.
    """
    try:
        with closing(_opened(path)) as connection:
            _upgrade(connection)
            for _ in connection.execute(statement("walk")):
                pass
    except sqlite3.OperationalError as fault:  # a full disk, a read-only directory: nothing is damaged
        raise JournalUnavailable(f"cannot open the journal {path}: {fault}") from fault
    except sqlite3.DatabaseError as fault:
        _LOG.error("the journal %s is damaged: %s", path, fault)
        _replace(path)


def _opened(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA page_size = 8192")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(statement("schema"))
        connection.execute(statement("schema_latest"))
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _upgrade(connection: sqlite3.Connection) -> None:
    present = {row[1] for row in connection.execute("PRAGMA table_info(records)")}
    for column in _LATER_COLUMNS:
        if column not in present:
            connection.execute(statement(f"add_{column}"))


def _replace(path: Path) -> None:
    aside = _set_aside(path)
    saved = 0
    try:
        with closing(_opened(path)) as fresh:
            fresh.execute("BEGIN IMMEDIATE")
            for row in _readable(aside):
                fresh.execute(statement("restore"), row)
                saved += 1
            fresh.execute("COMMIT")
    except sqlite3.Error as fault:
        raise JournalUnavailable(f"cannot make a new journal {path}: {fault}") from fault
    _LOG.error("%d records were saved into a new journal; the damaged one is kept as %s", saved, aside)


def _set_aside(path: Path) -> Path:
    aside = next(
        name
        for number in itertools.count(1)
        if not (name := path.with_name(f"{path.stem}-damaged-{number}{path.suffix}")).exists()
    )
    for ending in ("", "-wal", "-shm"):
        part = path.with_name(path.name + ending)
        if part.exists():
            part.rename(aside.with_name(aside.name + ending))
    return aside


def _readable(path: Path) -> Iterator[tuple[Any, ...]]:
    """Whatever whole records a damaged file still gives, in order."""
    with suppress(sqlite3.DatabaseError), closing(sqlite3.connect(path)) as connection:
        ids = {*_walk(connection, "walk"), *_walk(connection, "walk_back")}
        for record_id in sorted(ids):
            with suppress(sqlite3.DatabaseError):
                yield connection.execute(statement("whole"), (record_id,)).fetchone()


def _walk(connection: sqlite3.Connection, order: str) -> Iterator[int]:
    """The ids up to the damage, from either end."""
    with suppress(sqlite3.DatabaseError):
        for (record_id,) in connection.execute(statement(order)):
            yield record_id
