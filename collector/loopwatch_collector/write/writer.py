"""The writer: journal to store, in one thread, large under load and at once when idle."""

import logging
import threading
import time
from typing import Any, Final

from loopwatch_collector.errors import Unavailable
from loopwatch_collector.journal.journal import Journal
from loopwatch_collector.journal.record import Record
from loopwatch_collector.metrics import Metrics
from loopwatch_collector.prices.price import Pricer
from loopwatch_collector.store.errors import RowRefused
from loopwatch_collector.store.store import Store
from loopwatch_collector.write.contents import ContentKey, Contents
from loopwatch_collector.write.decode import Touched, rows_of
from loopwatch_collector.write.errors import Undecodable

_LOG = logging.getLogger(__name__)
_BATCH_SPANS: Final = 10_000
_BATCH_BYTES: Final = 32 * 2**20
_SPACING_S: Final = 0.25  # between two small inserts: each costs some ms whatever its size
_LARGE_SPANS: Final = 4_000
_POLL_S: Final = 0.25
_RETRY_S: Final = (0.2, 0.5, 1.0, 2.0, 5.0)
_KNOWN_CONTENTS: Final = 200_000


class Writer:
    """Moves records from the journal into the store until it is stopped.

    A record is discarded only after its spans, contents and runs are stored; a crash in between writes it again,
    and rows of equal identity replace each other.

    Args:
        journal: where records wait.
        store: where rows go.
        pricer: fills the cost columns.
        metrics: where it counts.
    """

    def __init__(self, journal: Journal, store: Store, pricer: Pricer, metrics: Metrics) -> None:
        self._journal = journal
        self._store = store
        self._pricer = pricer
        self._metrics = metrics
        self._stopping = threading.Event()
        self._known: set[ContentKey] = set()
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)

    def start(self) -> None:
        """Begins to write."""
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        """Whether the thread is at work."""
        return self._thread.is_alive()

    def stop(self, timeout_s: float) -> bool:
        """Writes what is waiting, then ends.

        Args:
            timeout_s: how long that may take; what is left then stays in the journal.

        Returns:
            Whether it ended in time.
        """
        self._stopping.set()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        written_id = 0
        while True:
            if not self._journal.wait(written_id, _POLL_S):
                if self._stopping.is_set():
                    return
                continue
            records = self._journal.read(written_id, _BATCH_SPANS, _BATCH_BYTES)
            if not records:
                written_id = self._journal.last_id
                continue
            if not self._settle(records):
                return
            written_id = records[-1].id
            self._journal.discard(written_id)
            if sum(record.items for record in records) < _LARGE_SPANS:
                self._stopping.wait(_SPACING_S)

    def _settle(self, records: list[Record]) -> bool:
        """Stores records, however often it takes. False: stopped while the store was unavailable."""
        attempt = 0
        while True:
            try:
                self._write(records)
            except Unavailable as fault:
                self._metrics.store_retries.inc()
                _LOG.warning("the store cannot take %d records now, they wait in the journal: %s", len(records), fault)
                if self._stopping.wait(_RETRY_S[min(attempt, len(_RETRY_S) - 1)]):
                    return False
                attempt += 1
            else:
                return True

    def _write(self, records: list[Record]) -> None:
        contents = Contents(self._known)
        rows: list[list[Any]] = []
        started = time.perf_counter()
        for record in records:
            try:
                rows.extend(rows_of(record, contents))
            except Undecodable as fault:
                self._bury(record, str(fault))
        price = self._pricer.price
        for row in rows:
            price(row)
        self._metrics.write_seconds.labels("normalise").observe(time.perf_counter() - started)
        try:
            self._insert(rows, contents)
        except RowRefused as fault:
            self._divide(records, str(fault))
        self._remember(contents)

    def _insert(self, rows: list[list[Any]], contents: Contents) -> None:
        started = time.perf_counter()
        if contents.bodies:
            self._store.insert_contents(contents.rows())
        self._store.insert_spans(rows)
        inserted = time.perf_counter()
        touched = Touched({})
        for row in rows:
            touched.add(row)
        self._store.refresh_runs(touched.tuples())
        self._metrics.write_seconds.labels("insert").observe(inserted - started)
        self._metrics.write_seconds.labels("runs").observe(time.perf_counter() - inserted)
        self._metrics.written_spans.inc(len(rows))
        self._metrics.batch_spans.observe(len(rows))

    def _divide(self, records: list[Record], reason: str) -> None:
        """The engine refuses one of these: halve until it stands alone, and set that one aside."""
        if len(records) == 1:
            self._bury(records[0], reason)
            return
        middle = len(records) // 2
        self._write(records[:middle])
        self._write(records[middle:])

    def _bury(self, record: Record, reason: str) -> None:
        _LOG.error("a record of project %s is set aside: %s", record.project, reason)
        self._store.insert_dead_letter(record.project, record.kind, record.received_at_ns, reason, record.body)
        self._metrics.dead_letters.inc()

    def _remember(self, contents: Contents) -> None:
        if len(self._known) > _KNOWN_CONTENTS:
            self._known.clear()
        self._known.update(contents.bodies)
