"""The store: the one object the rest of the collector writes through and reads from."""

import hashlib
import time
from collections.abc import Collection, Iterable, Sequence, Set
from pathlib import Path
from typing import Any

from loopwatch_collector.store import insert, migrate
from loopwatch_collector.store.client import DEFAULT_MAX_SERVER_MEMORY_BYTES, Clients, Connection
from loopwatch_collector.store.row_versions import RowVersions
from loopwatch_collector.store.rows import DEAD_LETTER_COLUMNS, VERDICT_COLUMNS
from loopwatch_collector.store.runs import RunDeriver, Touched


class Store:
    """Spans, contents and runs in ClickHouse, embedded or served. Every method may be called from any thread.

    All methods raise `StoreUnavailable` when the engine cannot work just now and `StoreFull` when its disk is full;
    those that insert raise `RowRefused` for rows the engine will never take.
    """

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._runs = RunDeriver(is_alone=clients.embedded)
        self._row_versions = RowVersions()

    @classmethod
    def open(
        cls,
        dsn: str,
        *,
        max_server_memory_bytes: int = DEFAULT_MAX_SERVER_MEMORY_BYTES,
        migrate_schema: bool = True,
        backup_dir: Path | None = None,
    ) -> "Store":
        """Opens a store and brings its tables to this version.

        Args:
            dsn: `chdb:///directory` or `clickhouse://user:password@host:port/database`.
            max_server_memory_bytes: what the embedded engine may use in all.
            migrate_schema: False leaves the tables as they are, for a reader beside a writer.
            backup_dir: a directory the embedded engine may write backups to; None: it takes none.

        Raises:
            StoreUnavailable: the engine cannot be reached, or another process holds the directory.
            SchemaMismatch: the tables are not ones this version can use.
        """
        store = cls(Clients(dsn, max_server_memory_bytes=max_server_memory_bytes, backup_dir=backup_dir))
        if migrate_schema:
            migrate.apply(store.connection(), migrate.load())
            store.connection().keep_sources()
        return store

    @property
    def embedded(self) -> bool:
        """Whether the engine runs in this process."""
        return self._clients.embedded

    def connection(self) -> Connection:
        """Returns this thread's connection, for the modules of the store and its queries."""
        return self._clients.get()

    def insert_spans(self, rows: Iterable[list[Any]]) -> None:
        """Stores span rows; the same span again replaces itself.

        Args:
            rows: values in the order of SPAN_COLUMNS, of any projects and days.
        """
        insert.insert_spans(self.connection(), rows)

    def insert_contents(self, rows: Iterable[Sequence[Any]]) -> None:
        """Stores contents; one body per project, trace and hash.

        Args:
            rows: values in the order of CONTENT_COLUMNS.
        """
        insert.insert_contents(self.connection(), rows)

    def insert_log_events(self, rows: Iterable[Sequence[Any]]) -> None:
        """Stores events out of logs; the same record again replaces itself.

        Args:
            rows: values in the order of LOG_EVENT_COLUMNS, of any projects and days.
        """
        insert.insert_log_events(self.connection(), rows)

    def insert_metric_points(self, rows: Iterable[Sequence[Any]]) -> None:
        """Stores metric points; the same point of a series again replaces itself.

        Args:
            rows: values in the order of METRIC_POINT_COLUMNS, of any projects and days.
        """
        insert.insert_metric_points(self.connection(), rows)

    def refresh_runs(
        self, touched: Collection[tuple[str, str, int, int]], of_events: Set[tuple[str, str]] = frozenset()
    ) -> None:
        """Derives the rows of runs that got new spans. To be called after their insert, before its checkpoint.

        Args:
            touched: (project, run_id, earliest start, latest start) with starts in ns since the epoch; a run may
                occur more than once, so the tuples of several inserts can be passed at once.
            of_events: (project, run_id) of those to which plain events came.
        """
        if touched:
            self._runs.refresh(self.connection(), (Touched(*entry) for entry in touched), of_events)

    def forget_runs(self) -> None:
        """Drops what is remembered of the runs' extents, after spans were deleted or before a rebuild."""
        self._runs.forget()

    def insert_dead_letter(self, project: str, kind: str, received_at_ns: int, reason: str, body: bytes) -> None:
        """Keeps a body that could not be stored, with the reason; the same body again is the same letter.

        Args:
            project: whose it is.
            kind: traces, logs, metrics or events.
            received_at_ns: when it was received, ns since the epoch.
            reason: why it was refused, in a sentence.
            body: the bytes as received.
        """
        letter = [project, kind, hashlib.sha256(body).hexdigest(), received_at_ns, reason, body, None]
        self.connection().insert("dead_letters", DEAD_LETTER_COLUMNS, [letter])

    def insert_verdicts(self, rows: Sequence[Sequence[Any]]) -> None:
        """Keeps verdicts; the last per run, span, name and author is the one that counts.

        Args:
            rows: values in the order of VERDICT_COLUMNS, of one project.
        """
        if rows:
            self.connection().insert("verdicts", VERDICT_COLUMNS, rows)

    def next_row_version(self) -> int:
        """A version for a row that replaces others: the clock's time, or more where the clock was set back."""
        return self._row_versions.next(self.connection())

    def confirm(self) -> None:
        """Fails when something that was written is not on disk and has to be written again; see failed_writes.py."""
        self.connection().confirm()

    def ping(self) -> float:
        """Asks the engine for a trivial answer and returns the seconds it took."""
        started = time.perf_counter()
        self.connection().rows("SELECT 1")
        return time.perf_counter() - started

    def close(self) -> None:
        """Closes every thread's connection."""
        self._clients.close()
