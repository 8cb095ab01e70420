"""The writer: journal to store, large under load and at once when idle.

Three threads: while the engine takes one batch, the next is decoded, and the runs that the last one touched are
derived.
"""

import threading
import time
from contextlib import nullcontext
from queue import Empty, Full, Queue
from typing import Final, NamedTuple

from loopwatch_collector.journal.journal import Journal
from loopwatch_collector.journal.record import Record
from loopwatch_collector.metrics import Metrics
from loopwatch_collector.write.batch import Batch
from loopwatch_collector.write.settling import Settling
from loopwatch_collector.write.storing import Storing

_BATCH_ITEMS: Final = 16_000
_BATCH_BYTES: Final = 8 * 2**20
# From one insert to the next: each costs some ms whatever its size, small parts are merged again and again, and the
# runs are derived after it, which costs a tenth of a second's CPU for one run as for fifty. What has just missed one
# waits for the next: so much, and what that one takes, is the longest between an acknowledgement and the run's row
# while the writer keeps up. So the two together are to be a second at most, and the faster the store is, the less
# often it is asked.
_FRESH_S: Final = 0.85
_MIN_SPACING_S: Final = 0.3
_MAX_SPACING_S: Final = 0.65
_FULL_ITEMS: Final = 12_000  # a batch of that size tells of more that waits: the next follows at once
_FULL_WHEN_BEHIND: Final = 3  # so many in a row: a single one is what came during a hiccup, and soon caught up with
_BUSY_ITEMS: Final = 5_000  # a batch of that size tells of more than ten thousand a second
_BUSY_SPACING_S: Final = 0.45
# Deriving runs costs the engine some 100 ms of CPU however few they are: as a rule once after each insert, at once; so
# that it takes two thirds of its thread's time at most. With much to do, two seconds later: planning it twice a second
# was a seventh of all CPU. While the writer is behind a seventeenth, when runs are listed late anyway.
_CHECKPOINT_S: Final = 0.1
_BUSY_CHECKPOINT_S: Final = 2.0
_MAX_CHECKPOINT_S: Final = 8.0
_REST_PER_CHECKPOINT: Final = 0.5
_REST_WHEN_BEHIND: Final = 16
_POLL_S: Final = 0.25
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
        self._work: Queue[tuple[Work, float] | None] = Queue(maxsize=1)  # with the time it was begun
        self._is_stored = threading.Condition()  # guards what the thread that stores tells the one that derives
        self._stored_id = 0
        self._began_at = 0.0
        self._has_ended = False
        self._discarded_id = 0
        self._checked_at = 0.0
        self._derived_in_s = 0.0
        self._has_underived = False
        self._turn_when_behind = threading.Lock()
        self._round_s = 0.0
        self._full_in_a_row = 0
        self._is_busy = False
        self._storing_steps = Settling(self._stopping, metrics)
        self._deriving_steps = Settling(self._stopping, metrics)
        self._threads = [
            threading.Thread(target=self._prepare_forever, name="prepare", daemon=True),
            threading.Thread(target=self._store_forever, name="store", daemon=True),
            threading.Thread(target=self._derive_forever, name="derive", daemon=True),
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
        return self._storing_steps.fault or self._deriving_steps.fault

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
        has_left = self._gave_up.is_set() or self._has_underived
        return not has_left and not any(thread.is_alive() for thread in self._threads)

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
            self._hand_over((work, began))
            del work
            if items < _FULL_ITEMS:
                spacing = _BUSY_SPACING_S if items >= _BUSY_ITEMS else spacing_s(self._round_s)
                self._stopping.wait(max(0.0, began + spacing - time.monotonic()))
        self._hand_over(None)

    def _prepared(self, records: list[Record]) -> Work:
        try:
            return self._storing.prepare(records)
        except Exception:  # noqa: BLE001  # a fault in one span must not end the writing of all others; it is found below
            return records

    def _hand_over(self, work: tuple[Work, float] | None) -> None:
        while not self._gave_up.is_set():
            try:
                self._work.put(work, timeout=_POLL_S)
            except Full:
                continue
            return

    def _store_forever(self) -> None:
        while not self._gave_up.is_set():
            try:
                work = self._work.get(timeout=_LOOK_S)
            except Empty:
                is_settled = self._storing_steps.settle(self._look)
            else:
                if work is None:
                    break
                is_settled = self._store(*work)
                del work  # its rows would be held while the next batch is awaited
            if not is_settled:
                self._gave_up.set()
        with self._is_stored:
            self._has_ended = True
            self._is_stored.notify()

    def _store(self, work: Work, began: float) -> bool:
        with self._turn_when_behind:
            is_settled = self._storing_steps.settle(_Storage(work, self._storing))
        if is_settled:
            items = sum(record.items for record in _records(work))
            with self._is_stored:
                self._is_busy = items >= _BUSY_ITEMS
                self._full_in_a_row = self._full_in_a_row + 1 if items >= _FULL_ITEMS else 0
                self._stored_id, self._began_at = _records(work)[-1].id, began
                self._is_stored.notify()
        return is_settled

    def _look(self, _failures: int) -> None:
        self._storing.confirm()

    def _derive_forever(self) -> None:
        while self._has_runs_to_derive():
            # While the writer is behind, what both take at once would be too much memory, and nobody's row be sooner.
            with self._turn_when_behind if self._is_behind() else nullcontext():
                is_settled = self._deriving_steps.settle(self._checkpoint)
            if not is_settled:
                self._has_underived = True
                return

    def _has_runs_to_derive(self) -> bool:
        """Waits until some are due; at once when no more will come. False: none is left."""
        with self._is_stored:
            while not self._has_ended:
                has_news = self._stored_id != self._discarded_id
                due_in_s = self._until_checkpoint_s() if has_news else None
                if due_in_s == 0:
                    break
                self._is_stored.wait(due_in_s)
            return self._stored_id != self._discarded_id

    def _until_checkpoint_s(self) -> float:
        is_busy = self._is_busy and self._has_more()  # what comes last is not made to wait by what came before it
        rest_s = pause_s(self._derived_in_s, is_busy=is_busy, is_behind=self._is_behind())
        return max(0.0, self._checked_at + rest_s - time.monotonic())

    def _is_behind(self) -> bool:
        return self._full_in_a_row >= _FULL_WHEN_BEHIND and self._has_more()

    def _has_more(self) -> bool:
        return self._journal.last_id > self._stored_id

    def _checkpoint(self, failures: int) -> None:
        """Derives the runs that were touched, and forgets what is stored."""
        started = time.monotonic()
        with self._is_stored:
            stored_id, began = self._stored_id, self._began_at
        self._storing.derive_runs(is_stubborn=failures >= _STUBBORN_FAILURES)
        self._journal.discard(stored_id)
        self._discarded_id = stored_id
        self._checked_at = time.monotonic()
        self._round_s = self._checked_at - began
        self._derived_in_s = self._checked_at - started


def spacing_s(round_s: float) -> float:
    """How far apart inserts are while the writer keeps up, in s.

    Args:
        round_s: what it took last, in s, from reading a batch until the runs it touched were derived.
    """
    return min(_MAX_SPACING_S, max(_MIN_SPACING_S, _FRESH_S - round_s))


def pause_s(derived_in_s: float, *, is_busy: bool, is_behind: bool) -> float:
    """How long runs are not derived after they were, in s.

    Args:
        derived_in_s: what it took last, in s.
        is_busy: batches are large.
        is_behind: they are as large as they can be.
    """
    if is_behind:
        return min(_MAX_CHECKPOINT_S, _REST_WHEN_BEHIND * derived_in_s)
    return max(_BUSY_CHECKPOINT_S if is_busy else _CHECKPOINT_S, _REST_PER_CHECKPOINT * derived_in_s)


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
