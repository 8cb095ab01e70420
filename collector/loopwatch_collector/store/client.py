"""The one seam to the engine: clients by thread, and the engine's errors as ours.

A client of the embedded engine is one lock, so each thread has its own; all of them share the engine.
"""

import re
import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

import clickhouse_connect
from clickhouse_connect.datatypes.registry import get_from_name
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, DataError, ProgrammingError

from loopwatch_collector.errors import CollectorError
from loopwatch_collector.store import cluster
from loopwatch_collector.store.bound import bound
from loopwatch_collector.store.day_rows import DayRows
from loopwatch_collector.store.errors import (
    QueryTooLarge,
    RowRefused,
    StatementFailed,
    StoreAddressInvalid,
    StoreFull,
    StoreUnavailable,
)
from loopwatch_collector.store.failed_writes import FailedWrites
from loopwatch_collector.store.native import block_of
from loopwatch_collector.store.rows import Column

# Codes of ClickHouse's ErrorCodes.cpp.
_FULL: Final = {243}  # NOT_ENOUGH_SPACE
_TOO_LARGE: Final = {158, 159, 160, 241, 307, 396}  # rows, time, estimated time, memory, bytes, result
_UNAVAILABLE: Final = {
    3, 60, 74, 75, 76, 160, 198, 202, 203, 209, 210, 218, 225, 236, 242, 252, 279, 286, 319, 341, 425, 999,
}  # fmt: skip  # files, network, keeper, too many parts, read-only table, a table that is being loaded

# Sorting out duplicates while inserting costs 3 µs a row and is done by merges and FINAL anyway; deduplication of
# whole blocks lost rows of acknowledged batches under kill and retry.
_INSERT_SETTINGS: Final[dict[str, Any]] = {"optimize_on_insert": 0, "insert_deduplicate": 0}
# The first merge indexes the words of contents; doing it while inserting as well would be 8 µs a span for an index
# of seconds. Parts without it are searched by reading them, with the same answers.
_SMALL_INSERT_SETTINGS: Final[dict[str, Any]] = {
    **_INSERT_SETTINGS,
    "exclude_materialize_skip_indexes_on_insert": "body_tokens",
}

# Parts that are there lose a column in the background, in the order of the migrations: 600 days of them take minutes,
# which a start does not wait for. Replicas of a cluster are waited for, for the next statement must find their tables.
_MIGRATION_SETTINGS: Final[dict[str, Any]] = {"alter_sync": 0}

_WRITE_FAILED: Final = "the store's disk has refused a write; it is done again"

# The embedded engine's defaults are 90 % of the machine's memory and 5 GB of mark cache.
DEFAULT_MAX_SERVER_MEMORY_BYTES: Final = 3 << 30
_EMBEDDED_OPTIONS: Final = {
    "mark_cache_size": str(128 << 20),
    "uncompressed_cache_size": str(0),
    "background_pool_size": "2",
    "background_schedule_pool_size": "2",
    "background_common_pool_size": "2",
    "background_move_pool_size": "1",
    "background_fetches_pool_size": "1",
}


class Connection:
    """One thread's way to the engine: rows out, statements and columns in, the engine's errors as ours."""

    def __init__(
        self,
        client: Client,
        cluster_name: str = "",
        failed_writes: FailedWrites | None = None,
        day_rows: DayRows | None = None,
    ) -> None:
        self._client = client
        self._failed_writes = failed_writes
        self._day_rows = day_rows
        self.cluster_name = cluster_name

    def is_small(self, from_ns: int, to_ns: int) -> bool:
        """Whether the embedded engine holds so few spans of a range that one thread answers soonest; never on a server.

        Args:
            from_ns: start of the range, ns since the epoch.
            to_ns: end of the range, ns since the epoch.

        Raises:
            StoreUnavailable: the engine cannot work just now.
        """
        if self._day_rows is None:
            return False
        with self._calling():
            return self._day_rows.are_few(self._client, from_ns, to_ns)

    def rows(
        self, sql: str, parameters: Mapping[str, Any] | None = None, settings: Mapping[str, Any] | None = None
    ) -> list[tuple[Any, ...]]:
        """Runs a SELECT and returns its rows.

        Args:
            sql: text of one of our own .sql files, never anything a caller sent.
            parameters: values for its `{name:Type}` places.
            settings: engine settings of this call.

        Raises:
            QueryTooLarge: it hit its limit of time or memory.
            StoreUnavailable: the engine cannot work just now.
        """
        with self._calling():
            result = self._client.query(  # pyright: ignore[reportUnknownMemberType]  # the driver's signature says Sequence without of what
                self._adapted(sql), bound(parameters), dict(settings or {}), tz_mode="aware"
            )
            # read here: the driver decodes all blocks but the first only now, and may find that they are cut off
            return [tuple(row) for row in result.result_rows]

    def records(
        self, sql: str, parameters: Mapping[str, Any] | None = None, settings: Mapping[str, Any] | None = None
    ) -> list[dict[str, Any]]:
        """Runs a SELECT and returns its rows by column name; see rows."""
        with self._calling():
            result = self._client.query(  # pyright: ignore[reportUnknownMemberType]  # see rows
                self._adapted(sql), bound(parameters), dict(settings or {}), tz_mode="aware"
            )
            return [dict(zip(result.column_names, row, strict=True)) for row in result.result_rows]

    def run(
        self, sql: str, parameters: Mapping[str, Any] | None = None, settings: Mapping[str, Any] | None = None
    ) -> None:
        """Runs a statement that returns no rows.

        Args:
            sql: text of one of our own .sql files.
            parameters: values for its `{name:Type}` places.
            settings: engine settings of this call.
        """
        with self._calling(is_writing=True):
            self._client.command(self._adapted(sql), bound(parameters), settings=dict(settings or {}))  # pyright: ignore[reportUnknownMemberType]  # see rows

    def raw(
        self,
        sql: str,
        parameters: Mapping[str, Any] | None = None,
        settings: Mapping[str, Any] | None = None,
        format_name: str = "CSVWithNames",
    ) -> bytes:
        """Runs a SELECT and returns its rows as the engine writes them in a format of its own.

        Args:
            sql: text of one of our own .sql files.
            parameters: values for its `{name:Type}` places.
            settings: engine settings of this call.
            format_name: CSVWithNames, ArrowStream, Parquet, ...
        """
        with self._calling():
            return self._client.raw_query(  # pyright: ignore[reportUnknownMemberType]  # see rows
                self._adapted(sql), bound(parameters), dict(settings or {}), fmt=format_name
            )

    @contextmanager
    def stream(self, sql: str, parameters: Mapping[str, Any] | None = None) -> Generator[IO[bytes]]:
        """Runs a SELECT and gives its rows in the engine's Native format, block by block as they are read.

        Args:
            sql: text of one of our own .sql files.
            parameters: values for its `{name:Type}` places.
        """
        with self._calling():
            rows: Any = self._client.raw_stream(self._adapted(sql), bound(parameters), fmt="Native")  # pyright: ignore[reportUnknownMemberType]  # see rows
            with closing(rows):
                yield rows

    def insert_native(self, table: str, rows: Iterator[bytes]) -> None:
        """Inserts rows as `stream` gave them.

        Args:
            table: its name; its columns are those of the stream.
            rows: the bytes, in pieces of any size.
        """
        with self._calling(is_writing=True, is_inserting=True):
            self._client.raw_insert(table, insert_block=_generator(rows), settings=_INSERT_SETTINGS, fmt="Native")  # pyright: ignore[reportUnknownMemberType]  # see rows

    def create(self, sql: str) -> None:
        """Runs a statement of a migration, as `cluster.create_statements` made it."""
        with self._calling(is_writing=True):
            self._client.command(sql, settings={} if self.cluster_name else _MIGRATION_SETTINGS)  # pyright: ignore[reportUnknownMemberType]  # see rows

    def confirm(self) -> None:
        """Fails, once, when a write to the embedded engine's disk failed since the last look; then it is mended.

        Raises:
            StoreUnavailable: a write failed.
        """
        with self._calling(is_writing=True):
            pass

    def keep_sources(self) -> None:
        """Has the embedded engine keep what merges replaced for as long as a failed write may go unnoticed."""
        if self._failed_writes is not None:
            with _engine_errors():
                self._failed_writes.keep_sources(self._client)

    @contextmanager
    def _calling(self, *, is_writing: bool = False, is_inserting: bool = False) -> Generator[None]:
        """One call of the engine: its errors as ours, and one of ours when a write failed without an error."""
        failed = self._failed_writes
        if failed is None:
            with _engine_errors(inserting=is_inserting):
                yield
            return
        with _engine_errors():
            accounted = failed.account(self._client)
        try:
            with _engine_errors(inserting=is_inserting):
                yield
        except CollectorError as fault:
            with _engine_errors():
                has_failed = failed.are_new(self._client, accounted)
            if has_failed:
                raise StoreUnavailable(_WRITE_FAILED) from fault
            raise
        with _engine_errors():
            has_failed = is_writing and failed.are_new(self._client, accounted)
        if has_failed:
            raise StoreUnavailable(_WRITE_FAILED)

    def _adapted(self, sql: str) -> str:
        return cluster.adapt(sql, self.cluster_name)

    def insert_block(self, table: str, columns: Sequence[Column], rows: Sequence[Sequence[Any]]) -> None:
        """Inserts rows whose values are what their columns hold (see native.py), at a third of `insert`'s cost.

        Args:
            table: its name.
            columns: the columns the values are for, in order.
            rows: at least one; in one partition, to be stored as a whole.

        Raises:
            RowRefused: the engine will never take these rows.
        """
        block = block_of(columns, rows)
        pieces = list(block.encoded())  # all of it, before the first goes out: a fault must not leave half an insert
        with self._calling(is_writing=True, is_inserting=True):
            self._client.raw_insert(  # pyright: ignore[reportUnknownMemberType]  # see rows
                table,
                [column.name for column in block.columns],
                _generator(iter(pieces)),
                settings=_SMALL_INSERT_SETTINGS,
                fmt="Native",
            )

    def insert(self, table: str, columns: Sequence[Column], rows: Sequence[Sequence[Any]]) -> None:
        """Inserts rows, which must lie in one partition to be stored as a whole.

        Args:
            table: its name.
            columns: the columns the values are for, in order.
            rows: at least one.

        Raises:
            RowRefused: the engine will never take these rows.
        """
        with self._calling(is_writing=True, is_inserting=True):
            self._client.insert(  # pyright: ignore[reportUnknownMemberType]  # see rows
                table,
                rows,
                column_names=[column.name for column in columns],
                column_types=[get_from_name(column.clickhouse_type) for column in columns],
                settings=_SMALL_INSERT_SETTINGS,
            )


class Clients:
    """Opens one client per thread on the same store.

    Args:
        dsn: `chdb:///directory` for the embedded engine, `clickhouse://user:password@host:port/database` for a
            server (`clickhouses://` for TLS), with `?cluster=NAME` for a cluster of them.
        settings: engine settings of every client.
        max_server_memory_bytes: what the embedded engine may use in all.
        backup_dir: a directory the embedded engine may write backups to and read them from.
    """

    def __init__(
        self,
        dsn: str,
        settings: dict[str, Any] | None = None,
        max_server_memory_bytes: int = DEFAULT_MAX_SERVER_MEMORY_BYTES,
        backup_dir: Path | None = None,
    ) -> None:
        self.embedded = dsn.startswith("chdb:")
        self._dsn = dsn
        self._cluster_name = "" if self.embedded else _cluster_name(dsn)
        self._settings = {**(cluster.SETTINGS if self._cluster_name else {}), **(settings or {})}
        self._options = {**_EMBEDDED_OPTIONS, "max_server_memory_usage": str(max_server_memory_bytes)}
        if backup_dir is not None:
            self._options["backups.allowed_path"] = str(backup_dir)
        self._failed_writes = FailedWrites() if self.embedded else None
        self._day_rows = DayRows() if self.embedded else None
        self._local = threading.local()
        self._lock = threading.Lock()
        self._opened: list[Client] = []
        self._closed = False

    def get(self) -> Connection:
        """Returns this thread's connection, opening it at first use.

        Raises:
            StoreUnavailable: the engine cannot be reached, or this object is closed.
        """
        connection: Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = Connection(self._open(), self._cluster_name, self._failed_writes, self._day_rows)
            self._local.connection = connection
        return connection

    def close(self) -> None:
        """Closes every thread's client."""
        with self._lock:
            self._closed = True
            opened, self._opened = self._opened, []
        for client in opened:
            client.close()

    def _open(self) -> Client:
        with self._lock:
            if self._closed:
                raise StoreUnavailable("the store is closed")
            with _engine_errors():
                client = self._connect()
            self._opened.append(client)
        return client

    def _connect(self) -> Client:
        if self.embedded:
            return clickhouse_connect.get_client(  # pyright: ignore[reportUnknownMemberType]  # its **kwargs has no type
                dsn=self._dsn, settings=self._settings, chdb_options=self._options, tz_source="server"
            )
        parts = urlsplit(self._dsn)
        return clickhouse_connect.get_client(  # pyright: ignore[reportUnknownMemberType]  # its **kwargs has no type
            host=parts.hostname or "localhost",
            port=parts.port or 0,
            username=unquote(parts.username or "default"),
            password=unquote(parts.password or ""),
            database=parts.path.strip("/") or "default",
            secure=parts.scheme in {"clickhouses", "https"},
            settings=self._settings,
            autogenerate_session_id=False,
        )


def _cluster_name(dsn: str) -> str:
    options = dict(parse_qsl(urlsplit(dsn).query, keep_blank_values=True))
    name = options.pop("cluster", "")
    if options or re.fullmatch(r"[A-Za-z0-9_.-]*", name) is None:
        raise StoreAddressInvalid(
            f"the store's address may end in ?cluster=NAME, a name of letters, digits, '_', '.' and '-'; not in "
            f"?{urlsplit(dsn).query}"
        )
    return name


def _generator(rows: Iterator[bytes]) -> Generator[bytes]:
    yield from rows  # the driver takes generators, and no other iterators


@contextmanager
def _engine_errors(*, inserting: bool = False) -> Generator[None]:
    """Turns the engine's errors into ours, keeping its code and dropping its stack trace."""
    try:
        yield
    except ClickHouseError as fault:
        raise _translated(fault, inserting) from fault
    except OSError as fault:
        raise StoreUnavailable(f"the engine cannot be reached: {fault}") from fault


def _translated(fault: ClickHouseError, inserting: bool) -> CollectorError:
    code = getattr(fault, "code", None)
    sentence = _first_line(fault)
    if inserting and (isinstance(fault, DataError) or (isinstance(fault, ProgrammingError) and code is None)):
        return RowRefused(sentence)
    if code in _FULL:
        return StoreFull("there is not enough space on the store's disk")
    if code in _TOO_LARGE:
        return QueryTooLarge(sentence).from_engine()
    if code is None or code in _UNAVAILABLE:
        return StoreUnavailable(sentence).from_engine()
    return RowRefused(sentence) if inserting else StatementFailed(sentence).from_engine()


def _first_line(fault: ClickHouseError) -> str:
    return str(fault).split("Stack trace")[0].strip()[:600]
