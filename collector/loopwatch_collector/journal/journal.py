"""The journal itself: appended by receivers, read and discarded by the writer, one commit for all who wait."""

import logging
import shutil
import sqlite3
import threading
import time
from collections.abc import Generator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Final, NamedTuple

from isal import isal_zlib

from loopwatch_collector.journal import database
from loopwatch_collector.journal.errors import JournalFull, JournalUnavailable
from loopwatch_collector.journal.recent import Recent
from loopwatch_collector.journal.record import Record
from loopwatch_collector.journal.statements import statement
from loopwatch_collector.metrics import Metrics

_LOG = logging.getLogger(__name__)
_GROUP_RECORDS: Final = 256  # appended in one commit at most, so that the first of a burst does not wait for the last
_GROUP_BYTES: Final = 16 * 2**20
_DISK_CHECK_S: Final = 1.0
_MAX_BATCH_MEMORY_BYTES: Final = 128 * 2**20


@dataclass(frozen=True, slots=True)
class JournalLimits:
    """What the journal may use.

    Attributes:
        max_bytes: bodies waiting for the store.
        min_free_bytes: free disk below which it takes nothing more.
        recent_bytes: bodies, compressed as they came, of records that are kept in memory, so that a
            writer that keeps up reads nothing back.
        recent_memory_bytes: what those decode to, by the records' estimates.
    """

    max_bytes: int = 8 * 2**30
    min_free_bytes: int = 256 * 2**20
    recent_bytes: int = 12 * 2**20
    recent_memory_bytes: int = 128 * 2**20


class Backlog(NamedTuple):
    """Records not in the store yet: how many, their bytes, and how long the oldest has waited."""

    records: int
    bytes: int
    lag_s: float


@dataclass(frozen=True, slots=True)
class _Append:
    record: Record
    done: Future[int]


@dataclass(frozen=True, slots=True)
class _Discard:
    through_id: int


class Journal:
    """Records on disk, in SQLite (WAL, synchronous=FULL).

    One thread commits; whatever arrived while it was in fsync shares the next one.

    Args:
        path: the database file.
        limits: what it may use.
        metrics: where it counts.

    Raises:
        JournalUnavailable: the file cannot be opened or written.
    """

    def __init__(self, path: Path, limits: JournalLimits, metrics: Metrics) -> None:
        self._path = path
        self._limits = limits
        self._metrics = metrics
        self._work: SimpleQueue[_Append | _Discard | None] = SimpleQueue()
        self._recent = Recent(limits.recent_bytes, limits.recent_memory_bytes)
        self._appended = threading.Condition()
        self._counting = threading.Lock()
        self._readers = threading.local()
        self._disk_checked_at = 0.0
        self._free_bytes = 0
        self._is_closed = False
        database.prepare(path)
        connection = database.connect(path)
        self._last_id: int = connection.execute(statement("last_id")).fetchone()[0]
        self._last_received_ns: int = connection.execute(statement("last_received")).fetchone()[0]
        self._waiting_bytes: int = connection.execute(statement("bytes_through"), (self._last_id,)).fetchone()[0]
        connection.close()
        self._committer = threading.Thread(target=self._commit_forever, name="journal", daemon=True)
        self._committer.start()

    def append(self, record: Record) -> Future[int]:
        """Takes a record.

        Args:
            record: what to keep.

        Returns:
            A future of the record's id, done when the record is on disk; it may fail with JournalUnavailable.

        Raises:
            JournalFull: too much is waiting, or the disk is nearly full.
        """
        self.require_room(len(record.body))
        done: Future[int] = Future()
        # A request that is cancelled while it waits must not cancel this: a commit is of a whole group.
        done.set_running_or_notify_cancel()
        self._count_waiting(len(record.body))
        self._work.put(_Append(record, done))
        return done

    def require_room(self, size: int) -> None:
        """Fails where a body of that size would not be taken: asked before the work of decoding it is done.

        Args:
            size: bytes.

        Raises:
            JournalFull: too much is waiting, or the disk is nearly full.
            JournalUnavailable: it is closed.
        """
        if self._is_closed:
            raise JournalUnavailable("the collector is stopping; send again in a moment")
        if self._waiting_bytes + size > self._limits.max_bytes:
            raise JournalFull("too much is waiting for the store; send again in a moment")
        if self.free_bytes() < self._limits.min_free_bytes:
            raise JournalFull("the collector's disk is nearly full; free some space and send again")

    @property
    def last_id(self) -> int:
        """The newest record on disk."""
        return self._last_id

    def wait(self, after_id: int, timeout_s: float) -> bool:
        """Waits for a record newer than the given one; tells whether there is one."""
        with self._appended:
            return self._appended.wait_for(lambda: self._last_id > after_id or self._is_closed, timeout_s) and (
                self._last_id > after_id
            )

    def read(
        self, after_id: int, max_items: int, max_bytes: int, max_memory_bytes: int = _MAX_BATCH_MEMORY_BYTES
    ) -> list[Record]:
        """Reads records in order.

        Args:
            after_id: the last one that was read before; 0 for the first of all.
            max_items: spans after which no further record is added.
            max_bytes: the same for bytes of bodies.
            max_memory_bytes: the same for what the decoded bodies need.

        Returns:
            The records, at least one if there is any, those of this process mostly with their body decompressed.
        """
        records: list[Record] = []
        items = size = memory = 0
        for record in self._recent.after(after_id) or self._stored_after(after_id):
            records.append(record)
            items += record.items
            size += len(record.body)
            memory += record.memory_bytes
            if items >= max_items or size >= max_bytes or memory >= max_memory_bytes:
                break
        return records

    def discard(self, through_id: int) -> None:
        """Forgets all records up to that one: they are in the store. Done with the next commit."""
        self._work.put(_Discard(through_id))

    def free_bytes(self) -> int:
        """Free disk under the journal, measured at most once a second."""
        now = time.monotonic()
        if now - self._disk_checked_at > _DISK_CHECK_S:
            self._disk_checked_at = now
            self._free_bytes = shutil.disk_usage(self._path.parent).free
            self._metrics.free_disk_bytes.set(self._free_bytes)
        return self._free_bytes

    def oldest_received_ns(self) -> int | None:
        """When the oldest record that still waits was received, ns since the epoch; None when none waits."""
        return self._reader().execute(statement("backlog")).fetchone()[1]

    def backlog(self) -> Backlog:
        """What is waiting for the store."""
        count, oldest_ns = self._reader().execute(statement("backlog")).fetchone()
        lag_s = max(0.0, (time.time_ns() - oldest_ns) / 1e9) if oldest_ns else 0.0
        return Backlog(count, self._waiting_bytes if count else 0, lag_s)

    def observe(self) -> None:
        """Sets the gauges of what is waiting."""
        backlog = self.backlog()
        self._metrics.journal_records.set(backlog.records)
        self._metrics.journal_bytes.set(backlog.bytes)
        self._metrics.lag_seconds.set(backlog.lag_s)
        self.free_bytes()

    def close(self) -> None:
        """Commits what was taken, then stops."""
        self._is_closed = True
        self._work.put(None)
        self._committer.join()
        with self._appended:
            self._appended.notify_all()

    def _count_waiting(self, size: int) -> None:
        with self._counting:  # receivers add while the committer takes off
            self._waiting_bytes += size

    def _reader(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._readers, "connection", None)
        if connection is None:
            connection = self._readers.connection = database.connect(self._path)
        return connection

    def _stored_after(self, after_id: int) -> Generator[Record]:
        # In small portions: the caller stops early, and a long read would keep the write-ahead log from shrinking.
        reader = self._reader()
        rows = reader.execute(statement("read") + " LIMIT 64", (after_id,)).fetchall()
        for row_id, kind, project, received_at_ns, encoding, items, memory_bytes, crc32 in rows:
            body, damage = _body_of(reader, row_id, crc32)
            yield Record(kind, project, received_at_ns, encoding, items, body, None, row_id, memory_bytes, damage)

    def _commit_forever(self) -> None:
        connection = database.connect(self._path)
        while (group := self._next_group()) is not None:
            self._commit(connection, group)
        connection.close()

    def _next_group(self) -> list[_Append | _Discard] | None:
        first = self._work.get()
        if first is None:
            return None
        group = [first]
        size = _size(first)
        while len(group) < _GROUP_RECORDS and size < _GROUP_BYTES:
            try:
                entry = self._work.get_nowait()
            except Empty:
                break
            if entry is None:
                self._work.put(None)
                break
            group.append(entry)
            size += _size(entry)
        return group

    def _commit(self, connection: sqlite3.Connection, group: list[_Append | _Discard]) -> None:
        started = time.perf_counter()
        appends = [entry for entry in group if isinstance(entry, _Append)]
        try:
            connection.execute("BEGIN IMMEDIATE")
            stored = [self._store(connection, entry.record) for entry in appends]
            if stored:
                connection.execute(statement("note_latest"), (self._last_received_ns,))
            discarded = sum(self._erase(connection, entry) for entry in group if isinstance(entry, _Discard))
            connection.execute("COMMIT")
        except Exception as fault:  # noqa: BLE001  # whatever it is, those who wait are told and the thread lives on
            self._fail(connection, group, fault)
            return
        self._metrics.journal_commit_seconds.observe(time.perf_counter() - started)
        self._metrics.journaled_items.inc(sum(record.items for record in stored))
        self._count_waiting(-discarded)
        self._publish(stored)
        for entry, record in zip(appends, stored, strict=True):
            entry.done.set_result(record.id)

    def _store(self, connection: sqlite3.Connection, record: Record) -> Record:
        # Wall clocks step back; the version of a row must not.
        received_at_ns = self._last_received_ns = max(record.received_at_ns, self._last_received_ns + 1)
        values = (record.kind, record.project, received_at_ns, record.encoding, record.items, len(record.body))
        check = (record.body, record.memory_bytes, _checksum(record.body))
        row_id = connection.execute(statement("append"), (*values, *check)).fetchone()[0]
        return record._replace(received_at_ns=received_at_ns, id=row_id)

    def _erase(self, connection: sqlite3.Connection, entry: _Discard) -> int:
        freed = connection.execute(statement("bytes_through"), (entry.through_id,)).fetchone()[0]
        connection.execute(statement("discard"), (entry.through_id,))
        return freed

    def _fail(self, connection: sqlite3.Connection, group: list[_Append | _Discard], fault: Exception) -> None:
        _LOG.error("the journal could not commit %d records: %s", len(group), fault)
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        error_type = JournalFull if "full" in str(fault) else JournalUnavailable
        for entry in group:
            if isinstance(entry, _Append):
                self._count_waiting(-len(entry.record.body))
                entry.done.set_exception(error_type(f"the journal cannot write: {fault}; send again in a moment"))

    def _publish(self, stored: list[Record]) -> None:
        if not stored:
            return
        self._recent.add(stored)
        with self._appended:
            self._last_id = stored[-1].id
            self._appended.notify_all()

    def release(self, through_id: int) -> None:
        """Drops from memory what the writer has taken; the disk still has it until `discard`."""
        self._recent.release(through_id)


def _size(entry: _Append | _Discard) -> int:
    return len(entry.record.body) if isinstance(entry, _Append) else 0


def _body_of(reader: sqlite3.Connection, row_id: int, crc32: int | None) -> tuple[bytes, str]:
    """A record's body, and what is wrong with it if the disk did not keep it."""
    try:
        body: bytes = reader.execute(statement("read_body"), (row_id,)).fetchone()[0]
    except sqlite3.DatabaseError as fault:
        return b"", f"the journal's record {row_id} cannot be read: {fault}"
    if crc32 is not None and _checksum(body) != crc32:
        return body, f"the journal's record {row_id} is not what was written: its checksum differs"
    return body, ""


def _checksum(body: bytes) -> int:
    return isal_zlib.crc32(body)  # pyright: ignore[reportUnknownMemberType]  # isal's stub leaves the buffer untyped
