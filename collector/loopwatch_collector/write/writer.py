"""The writer: journal to store, large under load and at once when idle.

Two threads: while the engine takes one batch, the next is decoded.
"""

import logging
import threading
import time
from collections.abc import Callable
from queue import Empty, Full, Queue
from typing import Final, NamedTuple

from loopwatch_collector.errors import Unavailable
from loopwatch_collector.journal.journal import Journal
from loopwatch_collector.journal.record import Record
from loopwatch_collector.metrics import Metrics
from loopwatch_collector.write.batch import Batch
from loopwatch_collector.write.storing import Storing

_LOG = logging.getLogger(__name__)
_BATCH_ITEMS: Final = 16_000
_BATCH_BYTES: Final = 8 * 2**20
# From one insert to the next: each costs some ms whatever its size, small parts are merged again and again, and the
# runs are derived after it, which costs a tenth of a second's CPU for one run as for fifty. What has just missed one
# waits for the next: so much, and what that one takes, is the longest between an acknowledgement and the run's row
# while the writer keeps up. So the two together are to be a second at most, and the faster the store is, the less
# often it is asked.
_FRESH_S: Final = 0.85
_MIN_SPACING_S: Final = 0.5
_MAX_SPACING_S: Final = 0.65
_FULL_ITEMS: Final = 12_000  # a batch of that size tells of more that waits: the next follows at once
_FULL_WHEN_BEHIND: Final = 3  # so many in a row: a single one is what came during a hiccup, and soon caught up with
# Deriving runs costs the engine some 60 ms however few they are: as a rule once after each insert, at once; else so
# that it takes half of one thread's time at most, and a seventeenth while the writer is behind, when runs are listed
# late anyway. Less than the spacing, so that what was inserted need not wait for a time of its own.
_CHECKPOINT_S: Final = 0.3
_MAX_CHECKPOINT_S: Final = 8.0
_REST_PER_CHECKPOINT: Final = 1
_REST_WHEN_BEHIND: Final = 16
_POLL_S: Final = 0.25
_RETRY_S: Final = (0.2, 0.5, 1.0, 2.0, 5.0)
_STUBBORN_FAILURES: Final = 4
_LOOK_S: Final = 10.0  # when nothing is to be written; much less than what merges replaced is kept for

Work = Batch | list[Record]
"""A batch; or records that could not be made one, for the storing thread to find the one at fault."""


class Writer:
    """Moves records from the journal into the store until it is stopped.

    A record is discarded only after its spans, contents and runs are on disk; a crash in between writes it again,
    and rows of equal identity replace each other.

    Args:
        journal: where records wait.
        storing: what to do with them.
        metrics: where it counts.
    """

    def __init__(self, journal: Journal, storing: Storing, metrics: Metrics) -> None:
        self._journal = journal
        self._storing = storing
        self._metrics = metrics
        self._stopping = threading.Event()
        self._gave_up = threading.Event()
        self._work: Queue[Work | None] = Queue(maxsize=1)
        self._stored_id = 0
        self._discarded_id = 0
        self._checked_at = 0.0
        self._derived_in_s = 0.0
        self._taken_at = 0.0
        self._round_s = 0.0
        self._full_in_a_row = 0
        self._fault = ""
        self._threads = [
            threading.Thread(target=self._prepare_forever, name="prepare", daemon=True),
            threading.Thread(target=self._store_forever, name="store", daemon=True),
        ]

    def start(self) -> None:
        """Begins to write."""
        for thread in self._threads:
            thread.start()

    @property
    def is_alive(self) -> bool:
        """Whether its threads are at work."""
        return all(thread.is_alive() for thread in self._threads)

    @property
    def fault(self) -> str:
        """Why nothing is written at the moment, in a sentence; "" when it is."""
        if not self.is_alive:
            return "the writer has stopped: see the log and restart the collector"
        return self._fault

    def stop(self, timeout_s: float) -> bool:
        """Writes what is waiting, then ends.

        Args:
            timeout_s: how long that may take; what is left then stays in the journal.

        Returns:
            Whether everything was written.
        """
        self._stopping.set()
        end = time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))
        return not self._gave_up.is_set() and not any(thread.is_alive() for thread in self._threads)

    def _prepare_forever(self) -> None:
        read_id = 0
        while not self._gave_up.is_set():
            if not self._journal.wait(read_id, _POLL_S):
                if self._stopping.is_set():
                    break
                continue
            began = time.monotonic()
            last_id = self._journal.last_id  # before the read: a record that comes after it must not be passed over
            records = self._journal.read(read_id, _BATCH_ITEMS, _BATCH_BYTES)
            if not records:  # the newest ones were discarded by an earlier process
                read_id = last_id
                continue
            read_id = records[-1].id
            items = sum(record.items for record in records)
            self._journal.release(read_id)
            work = self._prepared(records)
            del records  # and their decompressed bodies, while the batch waits its turn
            self._hand_over(work)
            del work
            if items < _FULL_ITEMS:
                self._stopping.wait(max(0.0, began + spacing_s(self._round_s) - time.monotonic()))
        self._hand_over(None)

    def _prepared(self, records: list[Record]) -> Work:
        try:
            return self._storing.prepare(records)
        except Exception:  # noqa: BLE001  # a fault in one span must not end the writing of all others; it is found below
            return records

    def _hand_over(self, work: Work | None) -> None:
        while not self._gave_up.is_set():
            try:
                self._work.put(work, timeout=_POLL_S)
            except Full:
                continue
            return

    def _store_forever(self) -> None:
        while True:
            try:
                work = self._work.get(timeout=self._until_checkpoint_s())
            except Empty:
                is_settled = self._settle(self._look if self._stored_id == self._discarded_id else self._checkpoint)
            else:
                if work is None:
                    self._settle(self._checkpoint)
                    return
                if self._stored_id == self._discarded_id:
                    self._taken_at = time.monotonic()
                is_settled = self._settle(_Storage(work, self._storing))
                self._stored_id = _records(work)[-1].id
                is_full = sum(record.items for record in _records(work)) >= _FULL_ITEMS
                self._full_in_a_row = self._full_in_a_row + 1 if is_full else 0
                del work  # its rows would be held while the next batch is awaited
                if is_settled and self._until_checkpoint_s() == 0:
                    is_settled = self._settle(self._checkpoint)
            if not is_settled:
                self._gave_up.set()
                return

    def _until_checkpoint_s(self) -> float:
        """How long runs may still wait to be derived; when none waits, how long to leave the store alone."""
        if self._stored_id == self._discarded_id:
            return _LOOK_S
        rests = _REST_WHEN_BEHIND if self._is_behind() else _REST_PER_CHECKPOINT
        pause_s = min(_MAX_CHECKPOINT_S, max(_CHECKPOINT_S, rests * self._derived_in_s))
        return max(0.0, self._checked_at + pause_s - time.monotonic())

    def _is_behind(self) -> bool:
        return self._full_in_a_row >= _FULL_WHEN_BEHIND and self._journal.last_id > self._stored_id

    def _look(self, _failures: int) -> None:
        self._storing.confirm()

    def _checkpoint(self, failures: int) -> None:
        """Derives the runs that were touched, and forgets what is stored."""
        started = time.monotonic()
        self._storing.derive_runs(is_stubborn=failures >= _STUBBORN_FAILURES)
        self._journal.discard(self._stored_id)
        self._discarded_id = self._stored_id
        self._checked_at = time.monotonic()
        self._round_s = self._checked_at - self._taken_at
        self._derived_in_s = self._checked_at - started

    def _settle(self, step: Callable[[int], None]) -> bool:
        """Takes a step, however often it takes. False: stopped while the store could not.

        The step is told how often it failed for a reason of its own: that a disk was full says nothing against it.
        """
        attempt = failures = 0
        while True:
            try:
                step(failures)
            except Exception as fault:  # noqa: BLE001  # whatever it is, what was acknowledged waits for another attempt
                failures += not isinstance(fault, Unavailable)
                self._metrics.store_retries.inc()
                _LOG.warning("what was acknowledged waits in the journal after attempt %d: %s", attempt + 1, fault)
                if self._stopping.wait(_RETRY_S[min(attempt, len(_RETRY_S) - 1)]):
                    return False
                attempt += 1
                self._fault = (
                    f"the store has refused {attempt} times; what was acknowledged waits in the journal: {fault}"
                )
            else:
                self._fault = ""
                return True


def spacing_s(round_s: float) -> float:
    """How far apart inserts are while the writer keeps up, in s.

    Args:
        round_s: what it took last, in s, from taking a batch until the runs it touched were derived.
    """
    return min(_MAX_SPACING_S, max(_MIN_SPACING_S, _FRESH_S - round_s))


class _Storage(NamedTuple):
    """One piece of work as a step that may be taken again."""

    work: Work
    storing: Storing

    def __call__(self, failures: int) -> None:
        if isinstance(self.work, Batch):
            self.storing.write(self.work, is_stubborn=failures >= _STUBBORN_FAILURES)
        else:
            self.storing.divide(self.work)


def _records(work: Work) -> list[Record]:
    return work.records if isinstance(work, Batch) else work
