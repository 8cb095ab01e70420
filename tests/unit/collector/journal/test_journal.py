"""The journal: acknowledged means on disk."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from loopwatch_collector.journal.errors import JournalFull, JournalUnavailable
from loopwatch_collector.journal.journal import Journal, JournalLimits
from loopwatch_collector.journal.record import Record
from loopwatch_collector.metrics import Metrics

Open = Callable[..., Journal]


@pytest.fixture
def open_journal(tmp_path: Path) -> Iterator[Open]:
    opened: list[Journal] = []

    def make(**limits: int) -> Journal:
        opened.append(Journal(tmp_path / "journal.sqlite", JournalLimits(**{"min_free_bytes": 0, **limits}), Metrics()))
        return opened[-1]

    yield make
    for journal in opened:
        journal.close()


def _record(body: bytes, received_at_ns: int = 1) -> Record:
    return Record("traces", "shop", received_at_ns, "", 1, body)


def test_records_come_back_in_order_after_a_restart(open_journal: Open) -> None:
    """What was appended is read by the next process, in order, with all its fields."""
    journal = open_journal()
    for number in range(5):
        journal.append(_record(b"body %d" % number, number + 1)).result(10)
    journal.close()
    again = open_journal()
    assert [(r.body, r.received_at_ns, r.project, r.kind) for r in again.read(0, 100, 10**9)] == [
        (b"body %d" % number, number + 1, "shop", "traces") for number in range(5)
    ]


def test_discarded_records_are_gone_and_ids_never_come_back(open_journal: Open) -> None:
    """After a checkpoint the next process sees only what came later, under new ids."""
    journal = open_journal()
    last = [journal.append(_record(b"old")).result(10) for _ in range(3)][-1]
    journal.discard(last)
    journal.close()
    again = open_journal()
    assert again.read(0, 100, 10**9) == []
    assert again.append(_record(b"new")).result(10) > last
    assert [record.body for record in again.read(last, 100, 10**9)] == [b"new"]


def test_reading_is_bounded_by_items_and_bytes(open_journal: Open) -> None:
    """A read stops at the first record that reaches a bound, and goes on after it."""
    journal = open_journal()
    ids = [journal.append(_record(b"x" * 100)).result(10) for _ in range(6)]
    assert len(journal.read(0, 2, 10**9)) == 2
    assert len(journal.read(0, 100, 250)) == 3
    assert [record.id for record in journal.read(ids[2], 100, 10**9)] == ids[3:]


def test_memory_and_disk_give_the_same_records(open_journal: Open) -> None:
    """A writer that lags behind what is kept in memory reads the older ones from disk, without a gap or a double."""
    journal = open_journal(recent_bytes=250)
    for number in range(10):
        journal.append(_record(b"%03d" % number + b"x" * 97)).result(10)
    seen: list[bytes] = []
    after = 0
    while records := journal.read(after, 3, 10**9):
        seen += [record.body[:3] for record in records]
        after = records[-1].id
    assert seen == [b"%03d" % number for number in range(10)]


def test_versions_rise_when_the_clock_steps_back(open_journal: Open) -> None:
    """Received times rise strictly, whatever the clock does, over a restart too."""
    journal = open_journal()
    for now in (1_000, 900, 900, 2_000, 10):
        journal.append(_record(b"x", now)).result(10)
    journal.close()
    again = open_journal()
    again.append(_record(b"x", 5)).result(10)
    times = [record.received_at_ns for record in again.read(0, 100, 10**9)]
    assert times == sorted(set(times))


def test_concurrent_appends_share_commits_and_all_arrive(open_journal: Open) -> None:
    """Many senders at once: each is acknowledged, each record is there once."""
    journal = open_journal()

    def send(sender: int) -> None:
        for number in range(25):
            journal.append(_record(b"%d-%d" % (sender, number))).result(30)

    threads = [threading.Thread(target=send, args=(sender,)) for sender in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    bodies = [record.body for record in journal.read(0, 1_000, 10**9)]
    assert len(bodies) == len(set(bodies)) == 200


def test_full_journal_refuses_and_takes_again(open_journal: Open) -> None:
    """Beyond its bound the journal refuses; after a checkpoint it takes again."""
    journal = open_journal(max_bytes=100_000)
    first = journal.append(_record(b"x" * 60_000)).result(10)
    with pytest.raises(JournalFull):
        journal.append(_record(b"x" * 60_000))
    journal.discard(first)
    journal.append(_record(b"y")).result(10)  # committed after the checkpoint before it
    assert journal.append(_record(b"x" * 60_000)).result(10) > first


def test_disk_nearly_full_is_refused(open_journal: Open) -> None:
    """With less free disk than asked for, nothing is taken."""
    with pytest.raises(JournalFull):
        open_journal(min_free_bytes=2**62).append(_record(b"x"))


def test_closed_journal_refuses(open_journal: Open) -> None:
    """A stopping collector tells senders to come back."""
    journal = open_journal()
    journal.close()
    with pytest.raises(JournalUnavailable):
        journal.append(_record(b"x"))


def test_torn_tail_loses_nothing_acknowledged(open_journal: Open, tmp_path: Path) -> None:
    """Half a commit at the log's end, as a power cut leaves it, is dropped; what was before it stays."""
    journal = open_journal()
    for number in range(3):
        journal.append(_record(b"%d" % number)).result(10)
    copy = tmp_path / "copy"
    copy.mkdir()
    for suffix in ("", "-wal"):
        (copy / f"journal.sqlite{suffix}").write_bytes((tmp_path / f"journal.sqlite{suffix}").read_bytes())
    with (copy / "journal.sqlite-wal").open("ab") as log:
        log.write(b"\x00\x01torn" * 500)
    connection = sqlite3.connect(copy / "journal.sqlite")
    assert [row[0] for row in connection.execute("SELECT body FROM records ORDER BY id")] == [b"0", b"1", b"2"]
    connection.close()
