"""Versions of rows that replace each other: the wall clock's time, but never below one that was given before.

Clocks step back; what was said last must win all the same, over a restart too.
"""

import threading
import time

from loopwatch_collector.store.client import Connection
from loopwatch_collector.store.statements import statement


class RowVersions:
    """Gives versions to verdicts, alerts and rules; safe to call from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._latest = 0

    def next(self, connection: Connection) -> int:
        """A version above all before, in ns since the epoch or more.

        Args:
            connection: this thread's.
        """
        with self._lock:
            self._latest = self._latest or connection.rows(statement("latest_row_version"))[0][0]
            self._latest = max(time.time_ns(), self._latest + 1)
            return self._latest
