"""Brings a store's tables to this version: files applied once, in order, never changed afterwards."""

import hashlib
import re
from collections.abc import Sequence
from importlib import resources
from typing import Final, NamedTuple

from loopwatch_collector.store import cluster
from loopwatch_collector.store.client import Connection
from loopwatch_collector.store.errors import SchemaMismatch
from loopwatch_collector.store.rows import Column
from loopwatch_collector.store.statements import statement

_FILE_NAME: Final = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")

_COLUMNS: Final = (Column("number", "UInt32", 0), Column("name", "String", ""), Column("checksum", "String", ""))


class Migration(NamedTuple):
    """One file of one statement."""

    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the file's text, hex."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def load() -> list[Migration]:
    """Returns the migrations of this version, in the order they are applied."""
    found: list[Migration] = []
    for entry in (resources.files("loopwatch_collector.store") / "migrations").iterdir():
        match = _FILE_NAME.fullmatch(entry.name)
        if match:
            found.append(Migration(int(match[1]), match[2], entry.read_text(encoding="utf-8")))
    return sorted(found)


def apply(connection: Connection, migrations: Sequence[Migration]) -> list[Migration]:
    """Applies what the store does not have yet.

    Args:
        connection: of a user who may create tables.
        migrations: all of this version's, in order.

    Returns:
        Those that were applied now.

    Raises:
        SchemaMismatch: the store has a migration this version does not know, or one whose text has changed.
    """
    _run(connection, _migrations_table())
    done = _applied(connection)
    _check(done, migrations)
    missing = [migration for migration in migrations if migration.number not in done]
    for migration in missing:
        _run(connection, migration.sql)
        connection.insert("schema_migrations", _COLUMNS, [[migration.number, migration.name, migration.checksum]])
    return missing


def _run(connection: Connection, sql: str) -> None:
    for statement_sql in cluster.create_statements(sql, connection.cluster_name):
        connection.create(statement_sql)


def _migrations_table() -> str:
    return (resources.files("loopwatch_collector.store") / "migrations" / "schema_migrations.sql").read_text(
        encoding="utf-8"
    )


def _applied(connection: Connection) -> dict[int, tuple[str, str]]:
    rows = connection.rows(statement("applied_migrations"))
    return {number: (name, checksum) for number, name, checksum in rows}


def _check(done: dict[int, tuple[str, str]], migrations: Sequence[Migration]) -> None:
    known = {migration.number: migration for migration in migrations}
    for number, (name, checksum) in done.items():
        migration = known.get(number)
        if migration is None:
            raise SchemaMismatch(
                f"the store has migration {number:04d} ({name}), which this version does not know: "
                "it was written by a newer version; install that one or a later one"
            )
        if migration.checksum != checksum:
            raise SchemaMismatch(
                f"migration {number:04d} ({name}) was changed after it was applied to this store: "
                "restore the file, and put the change into a new migration"
            )
