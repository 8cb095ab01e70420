"""The newest records, kept in memory with their bodies unpacked, so that a writer that keeps up reads nothing back."""

import threading
from collections import deque

from loopwatch_collector.journal.record import Record


class Recent:
    """A bounded stretch of the newest records. The oldest give way; they are on disk anyway.

    Args:
        max_bytes: of bodies.
        max_memory_bytes: of what they decode to, by the records' estimates.
    """

    def __init__(self, max_bytes: int, max_memory_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._max_memory_bytes = max_memory_bytes
        self._records: deque[Record] = deque()
        self._bytes = 0
        self._memory_bytes = 0
        self._lock = threading.Lock()

    def add(self, records: list[Record]) -> None:
        """Adds records newer than all before."""
        with self._lock:
            for record in records:
                self._records.append(record)
                self._bytes += len(record.body)
                self._memory_bytes += record.memory_bytes
            while self._records and (self._bytes > self._max_bytes or self._memory_bytes > self._max_memory_bytes):
                self._drop_oldest()

    def after(self, after_id: int) -> list[Record]:
        """The records after one, in order; none when some of them are no longer here."""
        with self._lock:
            if not self._records or self._records[0].id > after_id + 1:
                return []
            return [record for record in self._records if record.id > after_id]

    def release(self, through_id: int) -> None:
        """Drops all records up to that one."""
        with self._lock:
            while self._records and self._records[0].id <= through_id:
                self._drop_oldest()

    def _drop_oldest(self) -> None:
        record = self._records.popleft()
        self._bytes -= len(record.body)
        self._memory_bytes -= record.memory_bytes
