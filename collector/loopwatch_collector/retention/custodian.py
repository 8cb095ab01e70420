"""The thread that drops what is old and carries out deletions, beside the writer."""

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from loopwatch_collector.errors import CollectorError
from loopwatch_collector.journal.journal import Journal
from loopwatch_collector.retention import deletion
from loopwatch_collector.retention.deletion import Deletion
from loopwatch_collector.retention.policy import RetentionPolicy
from loopwatch_collector.retention.sweep import sweep, sweep_verdicts
from loopwatch_collector.store.store import Store

_LOG = logging.getLogger(__name__)
_SWEEP_S: Final = 3600.0
_AGAIN_S: Final = 30.0


class Custodian:
    """Sweeps once an hour and carries out deletions as they are asked for.

    Args:
        store: where the data is.
        journal: what was acknowledged and is not in the store yet: a deletion waits until that is written.
        policy: how long each project's data is kept.
    """

    def __init__(self, store: Store, journal: Journal, policy: RetentionPolicy) -> None:
        self._store = store
        self._journal = journal
        self._policy = policy
        self._stopping = threading.Event()
        self._asked = threading.Event()
        self._thread = threading.Thread(target=self._run, name="custodian", daemon=True)

    def start(self) -> None:
        """Begins: first with what the last process left unfinished or unproved."""
        self._thread.start()

    def stop(self) -> None:
        """Ends after the step at hand."""
        self._stopping.set()
        self._asked.set()
        self._thread.join()

    def request(self, project: str, field: str, value: str) -> Deletion:
        """Takes a request to delete and returns it at once; `deletion.requests` tells how far it is.

        Args:
            project: whose data.
            field: conversation, customer or user.
            value: its id.

        Raises:
            InvalidDeletion: it names nobody.
        """
        taken = deletion.request(self._store.connection(), project, field, value, datetime.now(UTC))
        self._asked.set()
        return taken

    def _run(self) -> None:
        self._try(self._verify)
        swept_at = None
        while not self._stopping.is_set():
            self._asked.clear()
            done = self._try(self._carry_out)
            if swept_at is None or time.monotonic() - swept_at >= _SWEEP_S:
                self._try(self._sweep)
                swept_at = time.monotonic()
            self._asked.wait(_SWEEP_S if done else _AGAIN_S)

    def _try(self, step: Callable[[], bool]) -> bool:
        try:
            return step()
        except CollectorError as fault:
            _LOG.warning("retention: %s; trying again", fault)
            return False

    def _verify(self) -> bool:
        connection = self._store.connection()
        for known in deletion.requests(connection, ""):
            if known.finished_at is not None and known.verified_at is None:
                deletion.verify(connection, known)
        return True

    def _carry_out(self) -> bool:
        connection = self._store.connection()
        waiting = [known for known in deletion.requests(connection, "") if known.finished_at is None]
        if waiting and not self._written():
            return False
        # A list first: `all` of a generator would stop at the first that is not finished.
        done = [deletion.carry_out(connection, known) for known in reversed(waiting)]
        return all(one.finished_at is not None for one in done)

    def _written(self) -> bool:
        """Waits until what was acknowledged by now is in the store: it may be about the one to be forgotten."""
        asked_ns = time.time_ns()
        while not self._stopping.wait(0.05):
            oldest_ns = self._journal.oldest_received_ns()
            if oldest_ns is None or oldest_ns > asked_ns:
                return True
        return False

    def _sweep(self) -> bool:
        today = datetime.now(UTC).date()
        sweep(self._store.connection(), self._policy, today)
        sweep_verdicts(self._store.connection(), self._policy, today)
        return True
