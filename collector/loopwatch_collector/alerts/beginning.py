"""When the store's first day begins: what lies before it is empty and all alike, so it is asked for once.

A baseline looks at the same hour of four weeks of past days, and an installation is younger than that at first: these
were as many questions as there are hours, each of which plans a statement to find nothing.
"""

import threading
from collections.abc import Callable
from typing import Final

from loopwatch_collector.alerts.ranges import Range
from loopwatch_collector.alerts.statements import statement
from loopwatch_collector.store.client import Connection

_UNKNOWN: Final = -1


class Beginning:
    """The start of what the store holds, as it was known at a count of arrivals.

    Args:
        connection: gives this thread's connection.
    """

    def __init__(self, connection: Callable[[], Connection]) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._known = (_UNKNOWN, 0)

    def stand_in(self, stretch: Range, arrived: int, since: int) -> Range:
        """A range with the same answer: of all of one length that end before the first day, the last one.

        Args:
            stretch: a range of time.
            arrived: how many times data has come by now.
            since: the answer has to know of all data that had come by then: it may have begun an earlier day.
        """
        first_ns = self._first_ns(arrived, since)
        if stretch.to_ns > first_ns:
            return stretch
        return Range(first_ns - (stretch.to_ns - stretch.from_ns), first_ns)

    def _first_ns(self, arrived: int, since: int) -> int:
        with self._lock:
            asked_at, first_ns = self._known
        if asked_at < since:
            first_ns = self._connection().rows(statement("first_midnight"))[0][0]
            with self._lock:
                self._known = max(self._known, (arrived, first_ns))
        return first_ns
