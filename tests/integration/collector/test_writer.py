"""The writer among faults: what cannot be stored or derived holds up nothing else, and nothing is passed over."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from loopwatch_collector.journal.journal import Journal, JournalLimits
from loopwatch_collector.journal.record import Record
from loopwatch_collector.metrics import Metrics
from loopwatch_collector.prices.price import Pricer
from loopwatch_collector.store.errors import QueryTooLarge, StatementFailed, StoreUnavailable
from loopwatch_collector.store.rebuild import rebuild_runs
from loopwatch_collector.store.store import Store
from loopwatch_collector.write import settling
from loopwatch_collector.write.senders import Senders
from loopwatch_collector.write.storing import Storing
from loopwatch_collector.write.writer import Writer
from tests.chaos.load import BATCHES_PER_RUN, Load, recent_midnight_ns
from tests.migrated_store import migrated_store
from tests.processes import wait_for

_LOAD = Load(51, recent_midnight_ns(time.time_ns()))
_COUNT_SPANS = "SELECT uniqExact(span_id) FROM spans WHERE project = {project:String}"
# As every question of ours reads them: a run that straddles midnight has a tombstone on the other day.
_BY_DAY = "SETTINGS do_not_merge_across_partitions_select_final = 1"
_LIST_RUNS = f"SELECT run_id FROM runs FINAL WHERE project = {{project:String}} ORDER BY run_id {_BY_DAY}"
_COUNT_SPANS_OF_RUNS = f"SELECT spans FROM runs FINAL WHERE project = {{project:String}} {_BY_DAY}"
_COUNT_LETTERS = "SELECT count() FROM dead_letters WHERE project = {project:String}"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """An embedded store; each test writes to a project of its own."""
    opened = Store.open(migrated_store(tmp_path_factory.mktemp("writer") / "store"))
    yield opened
    opened.close()


@pytest.fixture(autouse=True)
def _try_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "_RETRY_S", (0.01,))


class _Line:
    """A journal and a writer of one project."""

    def __init__(self, folder: Path, store: Store, project: str) -> None:
        self.metrics = Metrics()
        self.journal = Journal(folder / "journal.sqlite", JournalLimits(min_free_bytes=0), self.metrics)
        self._store = store
        self._project = project
        storing = Storing(store, Pricer(), self.metrics, Senders())
        self.writer = Writer(self.journal, storing, self.metrics)

    def append(self, batch: int) -> None:
        """Journals one batch of the load."""
        record = Record("traces", self._project, batch + 1, "gzip", _LOAD.spans_in(batch), _LOAD.body(batch))
        self.journal.append(record).result(10)

    def write(self) -> None:
        """Starts the writer, lets it write what waits, and stops it."""
        self.writer.start()
        wait_for(lambda: self.journal.backlog().records == 0, "the journal is empty")
        assert self.writer.stop(10)
        self.journal.close()

    def found(self, sql: str) -> list[Any]:
        """The first column of what the store holds of this project."""
        return [row[0] for row in self._store.connection().rows(sql, {"project": self._project})]


@pytest.fixture
def line(tmp_path: Path, store: Store) -> Callable[[str], _Line]:
    """Makes the way of one project's spans; the same name twice is a restart."""
    return lambda project: _Line(tmp_path, store, project)


def _failing(step: Callable[..., Any], faults: list[Exception]) -> Callable[..., Any]:
    """A step that fails with each of some faults before it works."""

    def failing(*arguments: Any) -> Any:
        if faults:
            raise faults.pop(0)
        return step(*arguments)

    return failing


def test_a_run_that_cannot_be_derived_holds_up_no_other(store: Store, line: Callable[[str], _Line]) -> None:
    """Its spans are stored, it is counted as underived, all others are listed; `rebuild` mends it afterwards."""
    batches = range(3 * BATCHES_PER_RUN)
    runs = sorted({_LOAD.trace_id(batch).hex() for batch in batches})
    connection = store.connection()
    connection.run(f"ALTER TABLE runs ADD CONSTRAINT refused CHECK run_id != '{runs[1]}'")
    under_way = line("underived")
    for batch in batches:
        under_way.append(batch)
    under_way.write()
    connection.run("ALTER TABLE runs DROP CONSTRAINT refused")
    assert under_way.found(_COUNT_SPANS) == [sum(map(_LOAD.spans_in, batches))]
    assert under_way.found(_LIST_RUNS) == [runs[0], runs[2]]
    assert under_way.metrics.values()["loopwatch_underived_runs_total"] == 1
    rebuild_runs(store)
    assert under_way.found(_LIST_RUNS) == runs


def test_a_record_that_comes_while_the_writer_starts_is_not_passed_over(
    line: Callable[[str], _Line], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer that finds an old journal empty and meets its first record in that moment writes it."""
    before = line("starting")
    before.append(0)
    before.write()
    again = line("starting")
    read, late = again.journal.read, [1]

    def read_and_receive(*arguments: Any) -> list[Record]:
        found = read(*arguments)
        if late:
            again.append(late.pop())
        return found

    monkeypatch.setattr(again.journal, "read", read_and_receive)
    again.writer.start()
    wait_for(lambda: not late, "the record has come")
    wait_for(lambda: again.journal.backlog().records == 0, "the journal is empty")
    assert again.writer.stop(10)
    again.journal.close()
    assert again.found(_COUNT_SPANS) == [_LOAD.spans_in(0) + _LOAD.spans_in(1)]


def test_runs_are_derived_while_the_next_batch_is_stored(
    store: Store, line: Callable[[str], _Line], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long deriving takes, the next spans are stored meanwhile, and their run's row is complete in the end."""
    is_deriving, may_go_on, refresh_runs = threading.Event(), threading.Event(), store.refresh_runs

    def refresh_when_told(*arguments: Any) -> None:
        is_deriving.set()
        assert may_go_on.wait(10)
        refresh_runs(*arguments)

    monkeypatch.setattr(store, "refresh_runs", refresh_when_told)
    under_way = line("beside")
    under_way.append(0)
    under_way.writer.start()
    assert is_deriving.wait(10)
    under_way.append(1)
    both = _LOAD.spans_in(0) + _LOAD.spans_in(1)
    wait_for(lambda: under_way.found(_COUNT_SPANS) == [both], "the second batch is stored")
    assert under_way.journal.backlog().records == 2
    may_go_on.set()
    wait_for(lambda: under_way.journal.backlog().records == 0, "the journal is empty")
    assert under_way.writer.stop(10)
    under_way.journal.close()
    assert sum(under_way.found(_COUNT_SPANS_OF_RUNS)) == both


def test_an_unavailable_store_says_nothing_against_the_rows(
    store: Store, line: Callable[[str], _Line], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long the store was away, a fault after it is tried again, not taken for the rows' or the runs' own."""
    away: list[Exception] = [StoreUnavailable("away")] * 6
    monkeypatch.setattr(store, "insert_spans", _failing(store.insert_spans, [*away, StatementFailed("odd")]))
    monkeypatch.setattr(store, "refresh_runs", _failing(store.refresh_runs, [*away, StatementFailed("odd")]))
    under_way = line("away")
    for batch in range(5):
        under_way.append(batch)
    under_way.write()
    assert under_way.found(_COUNT_SPANS) == [sum(map(_LOAD.spans_in, range(5)))]
    assert under_way.metrics.values()["loopwatch_underived_runs_total"] == 0
    assert under_way.found(_COUNT_LETTERS) == [0]


def test_an_engine_without_memory_makes_no_dead_letter(
    store: Store, line: Callable[[str], _Line], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch is divided when the engine has no memory for it; a single span then waits until there is some."""
    faults: list[Exception] = [QueryTooLarge("memory limit exceeded")] * 40
    monkeypatch.setattr(store, "insert_spans", _failing(store.insert_spans, faults))
    under_way = line("memory")
    under_way.append(4)
    under_way.write()
    assert faults == []
    assert under_way.found(_COUNT_SPANS) == [_LOAD.spans_in(4)]
    assert under_way.found(_COUNT_LETTERS) == [0]
