"""The lease: which of several collectors evaluates the rules.

The store has no compare-and-set, so a term is claimed by inserting a row and looking who was first: the earliest
claim by the server's clock has the term. Between inserting and looking the claimer waits, so that a claim that
was under way is seen. The holder extends its term while it lives; when it stops, the next term is free.
"""

import threading
import time
from collections.abc import Callable
from typing import Any, Final

from loopwatch_collector.alerts.durations import NS
from loopwatch_collector.alerts.statements import statement
from loopwatch_collector.store.client import Connection
from loopwatch_collector.store.rows import Column

# A store that nobody else can open needs no term; when its holder was last alive is told no more exactly than this, and
# whoever comes after looks a quarter of an hour further back (engine.py).
_EXCLUSIVE_EVERY_S: Final = 60.0
_COLUMNS: Final = (
    Column("name", "LowCardinality(String)", ""),
    Column("term", "UInt64", 0),
    Column("holder", "String", ""),
    Column("claimed_at", "DateTime64(6, 'UTC')", 0),
    Column("until", "DateTime64(3, 'UTC')", 0),
    Column("row_version", "UInt64", 0),
)


class Lease:
    """One collector's hold on a name.

    Args:
        connection: gives this thread's connection.
        name: of what is held.
        holder: who we are, unique among collectors.
        seconds: how long a term lasts when its holder dies.
        settle_s: how long to wait between claiming and looking.
        is_exclusive: the store is ours alone (an embedded one): a term of another is that of a dead process, and a
            claim need not wait for others to show.
    """

    def __init__(
        self,
        connection: Callable[[], Connection],
        name: str,
        holder: str,
        *,
        seconds: float = 15,
        settle_s: float = 1.0,
        is_exclusive: bool = False,
    ) -> None:
        self._connection = connection
        self._name = name
        self._holder = holder
        self._seconds = seconds
        self._settle_s = 0.0 if is_exclusive else settle_s
        self._is_exclusive = is_exclusive
        self._term: tuple[int, int] | None = None  # number, claimed at (ns of the server)
        self._until = 0.0
        self._told_s = 0.0
        self._left_at_ns = 0
        self._lock = threading.Lock()

    @property
    def is_held(self) -> bool:
        """Whether we hold it now, by our own clock and with a margin for the way to the store."""
        return self._term is not None and time.monotonic() < self._until - self._seconds / 5

    @property
    def left_at_ns(self) -> int:
        """When a holder before us was last seen alive, by its clock; 0 when there was none."""
        return self._left_at_ns

    def hold(self) -> bool:
        """Claims or extends the lease.

        Returns:
            Whether we hold it.
        """
        with self._lock:
            if self._term is not None and time.monotonic() < self._until:
                self._extend(self._term)
                return True
            self._term = None
            return self._claim()

    def release(self) -> None:
        """Ends our term now, so that another need not wait."""
        with self._lock:
            if self._term is not None:
                self._insert(self._term, 0)
            self._term = None

    def _claim(self) -> bool:
        now_ns = self._server_time_ns()
        claims = self._claims()
        latest = claims[0][0] if claims else 0
        owner = next((claim for claim in claims if claim[0] == latest), None)
        is_taken = owner is not None and owner[2] > now_ns and owner[1] != self._holder
        if is_taken and not self._is_exclusive:
            return False
        self._left_at_ns = max((claim[3] for claim in claims), default=0)
        term = (latest + 1, now_ns)
        started = time.monotonic()
        self._insert(term, now_ns + round(self._seconds * NS))
        time.sleep(self._settle_s)
        winner = next(claim for claim in self._claims() if claim[0] == term[0])
        if winner[1] != self._holder:
            return False
        self._term, self._until = term, started + self._seconds
        return True

    def _extend(self, term: tuple[int, int]) -> None:
        started = time.monotonic()
        if not self._is_exclusive or started >= self._told_s + _EXCLUSIVE_EVERY_S:
            self._insert(term, self._server_time_ns() + round(self._seconds * NS))
            self._told_s = started
        self._until = started + self._seconds

    def _insert(self, term: tuple[int, int], until_ns: int) -> None:
        row: list[Any] = [self._name, term[0], self._holder, term[1] // 1_000, until_ns // 1_000_000, time.time_ns()]
        self._connection().insert("leases", _COLUMNS, [row])

    def _claims(self) -> list[tuple[int, str, int, int]]:
        return self._connection().rows(statement("lease_claims"), {"name": self._name})  # pyright: ignore[reportReturnType]  # four columns

    def _server_time_ns(self) -> int:
        return self._connection().rows(statement("server_time"))[0][0]
