"""Batches into the store, and out of the way what it will never take."""

import logging
import time
from typing import Any, Final

from loopwatch_collector import event_parts
from loopwatch_collector.errors import Unavailable
from loopwatch_collector.journal.record import Record
from loopwatch_collector.metrics import Metrics
from loopwatch_collector.prices.price import Pricer
from loopwatch_collector.prices.record import record_rates
from loopwatch_collector.store.errors import QueryTooLarge, RowRefused, StoreUnavailable
from loopwatch_collector.store.rows import SPAN_INDEX
from loopwatch_collector.store.store import Store
from loopwatch_collector.write.batch import Batch, batch_of
from loopwatch_collector.write.contents import ContentKey
from loopwatch_collector.write.decode import message_of
from loopwatch_collector.write.division import halves
from loopwatch_collector.write.errors import Undecodable
from loopwatch_collector.write.handovers import DEFAULT_HANDOVERS, Handovers
from loopwatch_collector.write.placing import Placing
from loopwatch_collector.write.senders import Senders
from loopwatch_collector.write.touched import TouchedRuns, Touches

_LOG = logging.getLogger(__name__)
_PROJECT: Final = SPAN_INDEX["project"]
_RUN_ID: Final = SPAN_INDEX["run_id"]
_SCOPE: Final = SPAN_INDEX["scope"]
_KNOWN_CONTENTS: Final = 200_000
_MAX_DERIVE_FAILURES: Final = 40  # enough to find a few runs among thousands; beyond it the statement is at fault


class Storing:
    """Writes batches and derives the runs they touch: one thread prepares, one writes, one derives.

    Args:
        store: where rows go.
        pricer: fills the cost columns.
        metrics: where it counts.
        senders: the account of who sent what.
        handovers: which tools hand a run over, for senders that do not say it.
    """

    def __init__(
        self,
        store: Store,
        pricer: Pricer,
        metrics: Metrics,
        senders: Senders,
        handovers: Handovers = DEFAULT_HANDOVERS,
    ) -> None:
        self._store = store
        self._pricer = pricer
        self._metrics = metrics
        self._senders = senders
        self._handovers = handovers
        self._known: set[ContentKey] = set()
        self._touched = TouchedRuns()
        self._placing = Placing(store)

    def prepare(self, records: list[Record]) -> Batch:
        """Records as rows; for the thread that runs ahead of the one that writes."""
        started = time.perf_counter()
        batch = batch_of(records, self._known, self._pricer, self._handovers)
        self._metrics.write_seconds.labels("normalise").observe(time.perf_counter() - started)
        return batch

    def write(self, batch: Batch, *, is_stubborn: bool) -> None:
        """Stores a batch.

        Args:
            batch: what to store.
            is_stubborn: it failed several times for a reason the store could not name: then, too, it is divided.

        Raises:
            Unavailable: the store cannot work now.
        """
        try:
            self._insert(batch)
        except Unavailable:
            raise
        except Exception as fault:  # whatever it is, it is raised again or met by `divide` at the item at fault
            if not is_stubborn and not isinstance(fault, RowRefused):
                raise
            self.divide(batch.records)

    def divide(self, records: list[Record]) -> None:
        """Stores what can be stored of records among which some item is at fault, and sets that one aside.

        Raises:
            Unavailable: the store cannot work now; what was stored meanwhile is stored again, to the same rows.
        """
        try:
            self._insert(batch_of(records, self._known, self._pricer, self._handovers))
        except Unavailable:
            raise
        except Exception as fault:  # noqa: BLE001  # whatever it is, it is kept with the dead letter
            parts = _parts(records)
            for part in parts:
                self.divide(part)
            if not parts:
                self._bury(records[0], fault)

    def confirm(self) -> None:
        """Makes sure that what was stored is still whole.

        Raises:
            Unavailable: it is not; asked again, the store mends it.
        """
        self._store.confirm()

    def derive_runs(self, *, is_stubborn: bool) -> None:
        """Derives the runs that were touched since the last time.

        Args:
            is_stubborn: it failed several times: then those that can be derived are, and the rest is left out, to
                be repaired by `loopwatch rebuild`. Their spans are stored; they must not hold up all others.

        Raises:
            Unavailable: the store cannot work now.
        """
        started = time.perf_counter()
        touches = self._touched.take()
        try:
            record_rates(self._store.connection(), self._pricer)
            if is_stubborn:
                self._derive_what_can_be(touches)
            else:
                self._store.refresh_runs(*touches)
        except BaseException:  # whatever it is, it is raised again, and these runs are not forgotten
            self._touched.add(*touches)
            raise
        self._metrics.write_seconds.labels("runs").observe(time.perf_counter() - started)

    def _derive_what_can_be(self, touches: Touches) -> None:
        pending, failures = [touches.runs], 0
        while pending:
            group = pending.pop()
            try:
                self._store.refresh_runs(group, touches.of_events)
            except Unavailable:
                raise
            except Exception as fault:  # noqa: BLE001  # logged and counted; the runs' spans are stored
                failures += 1
                if len(group) == 1 or failures > _MAX_DERIVE_FAILURES:
                    self._metrics.underived_runs.inc(len(group))
                    _LOG.exception("%d runs could not be derived; mend it with `loopwatch rebuild`", len(group))
                    continue
                _LOG.warning("%d runs could not be derived at once: %s", len(group), fault)
                pending += [group[: len(group) // 2], group[len(group) // 2 :]]

    def _insert(self, batch: Batch) -> None:
        started = time.perf_counter()
        rows = batch.rows
        if rows.contents.bodies:
            self._store.insert_contents(rows.contents.rows())
        if rows.spans:
            self._store.insert_spans(rows.spans)
        if rows.events:
            self._store.insert_log_events(rows.events)
        if rows.points:
            self._store.insert_metric_points(rows.points)
        if rows.verdicts:
            self._insert_verdicts(rows.verdicts)
        self._placing.place(rows.waiting, rows.spans)
        of_events = ((row[_PROJECT], row[_RUN_ID]) for row in rows.spans if row[_SCOPE] == event_parts.SCOPE)
        self._touched.add(batch.touched, of_events)
        self._remember(batch)
        self._metrics.write_seconds.labels("insert").observe(time.perf_counter() - started)
        for project, spans in _by_project(rows.spans).items():
            again = self._senders.note_spans(spans)
            self._metrics.written_spans.inc(len(spans))
            self._metrics.duplicate_spans.inc(again)
            self._metrics.by_project.add(project, written_spans=len(spans), duplicate_spans=again)
        self._senders.note_points(rows.points)
        self._metrics.batch_spans.observe(len(rows.spans))

    def _insert_verdicts(self, verdicts: list[list[Any]]) -> None:
        for of_project in _by_project(verdicts).values():
            self._store.insert_verdicts(of_project)

    def _remember(self, batch: Batch) -> None:
        if len(self._known) > _KNOWN_CONTENTS:
            self._known.clear()
        self._known.update(batch.rows.contents.bodies)

    def _bury(self, record: Record, fault: Exception) -> None:
        if isinstance(fault, QueryTooLarge):  # the engine's memory is used up by others: no single item needs so much
            raise StoreUnavailable(f"the store has no memory for a single item now: {fault}") from fault
        reason = str(fault) if isinstance(fault, RowRefused | Undecodable) else f"{type(fault).__name__}: {fault}"
        _LOG.error("one item of project %s is set aside as a dead letter: %s", record.project, reason, exc_info=fault)
        self._store.insert_dead_letter(record.project, record.kind, record.received_at_ns, reason, record.body)
        self._metrics.dead_letters.inc()
        self._metrics.by_project.add(record.project, dead_letters=1)


def _by_project(rows: list[list[Any]]) -> dict[str, list[list[Any]]]:
    """Rows of spans or verdicts by whose they are: their first column."""
    projects: dict[str, list[list[Any]]] = {}
    for row in rows:
        projects.setdefault(row[_PROJECT], []).append(row)
    return projects


def _parts(records: list[Record]) -> list[list[Record]]:
    """Halves of some records, or of the items of a single one; nothing when it cannot be divided."""
    if len(records) > 1:
        middle = len(records) // 2
        return [records[:middle], records[middle:]]
    try:
        return [[half] for half in halves(records[0], message_of(records[0]))]
    except Undecodable:
        return []
