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


def test_versions_rise_over_a_restart_with_nothing_waiting(open_journal: Open) -> None:
    """With everything written and the clock set back while it was down, received times still rise."""
    journal = open_journal()
    journal.discard(journal.append(_record(b"x", 5_000)).result(10))
    journal.close()
    again = open_journal()
    again.append(_record(b"y", 10)).result(10)
    assert [record.received_at_ns for record in again.read(0, 10, 10**9)] == [5_001]


def test_a_cancelled_request_does_not_stop_the_others(open_journal: Open) -> None:
    """A request given up while it waits for its commit leaves the journal at work for all who come after."""
    journal = open_journal()
    for _ in range(20):
        journal.append(_record(b"given up")).cancel()
    assert journal.append(_record(b"patient")).result(10) == 21


def test_reading_is_bounded_by_what_decoding_needs(open_journal: Open, tmp_path: Path) -> None:
    """Small bodies that decode to much are read a few at a time, from memory and from disk."""
    journal = open_journal()
    for _ in range(4):
        journal.append(_record(b"bomb")._replace(memory_bytes=1_000)).result(10)
    assert len(journal.read(0, 100, 10**9, max_memory_bytes=2_000)) == 2
    journal.close()
    assert len(open_journal().read(0, 100, 10**9, max_memory_bytes=2_000)) == 2


def test_a_body_that_rotted_is_told_apart_and_the_rest_is_read(open_journal: Open, tmp_path: Path) -> None:
    """One byte of one body changed on disk: that record says so, the others are whole."""
    journal = open_journal()
    for text in (b"first", b"to be spoiled", b"last"):
        journal.append(_record(text)).result(10)
    journal.close()
    path = tmp_path / "journal.sqlite"
    path.write_bytes(path.read_bytes().replace(b"to be spoiled", b"to be spoileD"))
    first, second, last = open_journal().read(0, 10, 10**9)
    assert (first.body, first.damage, last.body, last.damage) == (b"first", "", b"last", "")
    assert "checksum" in second.damage


def test_a_damaged_file_is_replaced_by_what_is_readable_of_it(open_journal: Open, tmp_path: Path) -> None:
    """A page overwritten: the collector starts, keeps the file aside, and goes on with the other records."""
    journal = open_journal()
    for number in range(60):
        journal.append(_record(b"%02d" % number + bytes(2_000))).result(10)
    journal.close()
    path = tmp_path / "journal.sqlite"
    content = bytearray(path.read_bytes())
    at = content.index(b"30" + bytes(2_000)) // 8192 * 8192
    content[at : at + 8192] = b"\xff" * 8192
    path.write_bytes(content)
    saved = [record.body[:2] for record in open_journal().read(0, 100, 10**9)]
    assert {b"00", b"59"} <= set(saved)
    assert 50 <= len(saved) < 60
    assert list(tmp_path.glob("journal-damaged-*.sqlite"))


def test_a_file_that_is_no_journal_is_set_aside(open_journal: Open, tmp_path: Path) -> None:
    """Its head overwritten: nothing can be read, but the collector starts and receives."""
    (tmp_path / "journal.sqlite").write_bytes(b"not a database" * 1_000)
    assert open_journal().append(_record(b"x")).result(10) == 1
    assert list(tmp_path.glob("journal-damaged-*.sqlite"))


def test_a_journal_of_an_earlier_version_is_read(open_journal: Open, tmp_path: Path) -> None:
    """Records appended before sizes and checksums were kept come back as they were."""
    connection = sqlite3.connect(tmp_path / "journal.sqlite")
    connection.execute(
        "CREATE TABLE records (id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, project TEXT NOT NULL, "
        "received_at_ns INTEGER NOT NULL, encoding TEXT NOT NULL, items INTEGER NOT NULL, body_bytes INTEGER NOT NULL, "
        "body BLOB NOT NULL) STRICT"
    )
    connection.execute("INSERT INTO records VALUES (7, 'traces', 'shop', 9, '', 1, 3, x'6f6c64')")
    connection.commit()
    connection.close()
    journal = open_journal()
    assert journal.append(_record(b"new")).result(10) == 8
    assert [(record.body, record.damage) for record in journal.read(0, 10, 10**9)] == [(b"old", ""), (b"new", "")]


def test_what_waits_is_counted_exactly_by_many_threads_and_after_a_restart(open_journal: Open) -> None:
    """Senders and the checkpoint change the count at once: none of it is lost, else a full journal stays full."""
    journal = open_journal()

    def send() -> None:
        for _ in range(200):
            journal.discard(journal.append(_record(b"x" * 100)).result(30))

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    journal.discard(journal.append(_record(b"x" * 100)).result(10))
    journal.append(_record(b"y" * 40)).result(10)  # committed after the checkpoint before it
    assert journal.backlog().bytes == 40
    journal.close()
    assert open_journal().backlog().bytes == 40
