"""Writes to disk that failed without the embedded engine saying so.

chDB counts a write(2) that fails (the disk became full after room was reserved, a quota, a worn disk) and goes on: an
insert reports success, a merge replaces its sources, and their part lacks bytes. Whoever reads it meets an error, and
the next start of the engine sets it aside with its rows. A server raises the error itself.

So the count is read after everything that writes. When it has risen, what was just written is not confirmed, and
before anything else is done the tables are loaded anew: loading compares every file with the part's own list of
sizes, sets aside a part that lacks bytes, and takes up the sources of a merge that does. `old_parts_lifetime` keeps
those on disk for two minutes, much longer than it takes anybody to look at the count.
"""

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from loopwatch_collector.store.errors import StoreUnavailable
from loopwatch_collector.store.statements import statement

_LOG = logging.getLogger(__name__)
_STILL_USED: Final = 57  # TABLE_ALREADY_EXISTS: a statement that began before the table was unloaded still reads it
_PATIENCE_S: Final = 5.0
_LOOK_S: Final = 0.02
_NOT_LOOKED: Final = -1
# Kept by the name of a part, which the part that takes the place of a broken one may bear again.
_CACHES: Final = ("MARK CACHE", "INDEX MARK CACHE", "PRIMARY INDEX CACHE", "QUERY CONDITION CACHE", "TEXT INDEX CACHES")


class FailedWrites:
    """The account of one embedded engine's failed writes. Every method may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._accounted = _NOT_LOOKED
        self._seen = _NOT_LOOKED
        self._unloaded: set[str] = set()

    def account(self, client: Client) -> int:
        """Mends what is known to be damaged.

        Args:
            client: this thread's.

        Returns:
            The count that is accounted for, to be passed to `are_new` when the caller has done what it came for.

        Raises:
            StoreUnavailable: it cannot be mended just now.
        """
        if self._accounted == _NOT_LOOKED or self._seen > self._accounted:
            with self._lock:
                if self._accounted == _NOT_LOOKED:  # opening the store has just loaded its tables
                    self._accounted = _count(client)
                while self._seen > self._accounted:  # another write may fail meanwhile
                    self._load_anew(client)
        return self._accounted

    def are_new(self, client: Client, accounted: int) -> bool:
        """Whether a write failed since `account` returned that count.

        The mending of another thread may lie in between: what this one wrote can have been set aside by it.

        Args:
            client: this thread's.
            accounted: what `account` returned.
        """
        found = _count(client)
        self._seen = max(self._seen, found)
        return found != accounted

    def keep_sources(self, client: Client) -> None:
        """Has the engine keep the sources of merges for a while; the embedded one removes them within half a minute."""
        for table in _tables(client, "embedded/tables_without_sources"):
            _run(client, "embedded/keep_sources", {"table": table})

    def _load_anew(self, client: Client) -> None:
        seen = self._seen
        _LOG.error("%d writes to the store's disk failed: its tables are loaded anew", seen - self._accounted)
        for table in _tables(client, "embedded/tables_of_parts"):
            self._unloaded.add(table)
            _run(client, "embedded/unload_table", {"table": table})
        end = time.monotonic() + _PATIENCE_S
        for table in sorted(self._unloaded):
            _load(client, table, end)
            self._unloaded.discard(table)
        for cache in _CACHES:
            client.command(f"SYSTEM DROP {cache}")  # pyright: ignore[reportUnknownMemberType]  # see _rows
        self._accounted = seen


def _rows(client: Client, name: str) -> Sequence[Sequence[Any]]:
    return client.query(statement(name)).result_rows  # pyright: ignore[reportUnknownMemberType]  # the driver's signature says Sequence without of what


def _count(client: Client) -> int:
    return _rows(client, "embedded/failed_writes")[0][0]


def _tables(client: Client, name: str) -> list[str]:
    return [table for (table,) in _rows(client, name)]


def _load(client: Client, table: str, end: float) -> None:
    while True:
        try:
            _run(client, "embedded/load_table", {"table": table})
        except ClickHouseError as fault:
            if getattr(fault, "code", None) != _STILL_USED:
                raise
            if time.monotonic() > end:
                raise StoreUnavailable(f"the table {table} is loaded anew when what reads it has ended") from fault
            time.sleep(_LOOK_S)
        else:
            return


def _run(client: Client, name: str, parameters: Mapping[str, Any]) -> None:
    client.command(statement(name), dict(parameters))  # pyright: ignore[reportUnknownMemberType]  # see _rows
