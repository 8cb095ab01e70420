"""Everything but SIGKILL: orderly ends, full and failing disks, a stopped process, damage, a clock set back."""

import signal
import sqlite3
import time
import urllib.error
import urllib.request
from collections.abc import Generator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any

from tests.chaos import census, disks, processes
from tests.chaos.census import Census
from tests.chaos.disks import Room
from tests.chaos.processes import Collector, Trial, metric
from tests.processes import no_rules, wait_for

_SOME_BATCHES = 60
# A load that is felt, and that leaves no more than seconds of storing: a fault is tried here, not a flood.
_PAUSE_S = 0.02
_DISK_MIB = 160
_THE_DISK_ITSELF_REFUSES = {"LOOPWATCH_MIN_FREE_BYTES": "1"}  # not our own look at what is free


def sigterm_under_load(folder: Path, seed: int) -> Census:
    """SIGTERM while spans arrive: status 0, and what was acknowledged is in the store without another start."""
    with _trial(folder, seed) as under_way:
        under_way.await_acknowledged(_SOME_BATCHES)
        if (status := under_way.collector.stop()) != 0:
            raise AssertionError(f"the collector ended with {status}:\n{under_way.collector.log.read_text()[-3000:]}")
        under_way.sender.kill()
        return census.take(under_way.plan, under_way.collector.dsn)


def disk_full(folder: Path, seed: int) -> Census:
    """The disk of journal and store fills up under load: 503, reads go on, and it recovers without a restart."""
    with disks.data_room(folder / "disk", _DISK_MIB) as room:
        env = {**_THE_DISK_ITSELF_REFUSES, "LOOPWATCH_DATA_DIR": str(room.path)}
        with _trial(folder / "trial", seed, **env) as under_way:
            under_way.await_acknowledged(_SOME_BATCHES)
            with room.full(under_way.collector.process_id):
                wait_for(lambda: _answer(under_way) == 503, "a full disk is answered with 503")
                if room.is_disk:
                    _read_api(under_way)
            under_way.await_acknowledged(_SOME_BATCHES)
            under_way.finish()
            return census.take(under_way.plan, under_way.collector.dsn)


def engine_refuses(folder: Path, seed: int) -> Census:
    """The engine can store nothing for a while: spans are still acknowledged, wait in the journal, and arrive."""
    with _trial_on_an_engine_room(folder, seed) as (room, under_way):
        under_way.await_acknowledged(_SOME_BATCHES)
        with room.full(under_way.collector.process_id):
            url = under_way.collector.await_ready()
            before = metric(url, "loopwatch_store_retries_total") or 0
            wait_for(lambda: (metric(url, "loopwatch_store_retries_total") or 0) > before, "the engine refuses")
            under_way.await_acknowledged(_SOME_BATCHES)
        under_way.finish()
        return census.take(under_way.plan, under_way.collector.dsn)


def read_only_directory(folder: Path, seed: int) -> Census:
    """Started on a directory it cannot write, it says so in a sentence; what was stored is untouched."""
    with _trial(folder, seed) as under_way:
        under_way.await_acknowledged(_SOME_BATCHES)
        under_way.finish()
    with disks.read_only(folder / "data"):
        refused = Collector(folder)
        refused.start()
        _expect_refusal(refused, "writable")
    return census.take(under_way.plan, under_way.collector.dsn)


def stopped_process(folder: Path, seed: int, seconds: float = 3.0) -> Census:
    """SIGSTOP longer than senders wait for an answer, then SIGCONT: they send again, and nothing doubles."""
    with _trial(folder, seed, timeout_s=min(2.0, seconds / 3)) as under_way:
        under_way.await_acknowledged(_SOME_BATCHES)
        under_way.collector.signal(signal.SIGSTOP)
        time.sleep(seconds)  # the length of the stop is what is tried, not a wait for something
        under_way.collector.signal(signal.SIGCONT)
        under_way.await_acknowledged(_SOME_BATCHES)
        under_way.finish()
        return census.take(under_way.plan, under_way.collector.dsn)


def torn_tail(folder: Path, seed: int) -> Census:
    """Killed under load, and half a commit more at the end of the journal's log: nothing acknowledged is lost."""
    with _trial(folder, seed) as under_way:
        under_way.await_acknowledged(_SOME_BATCHES)
        under_way.collector.kill()
        log = under_way.collector.data_dir / "journal.sqlite-wal"
        with log.open("ab") as tail:
            tail.write(log.read_bytes()[32 : 32 + 24 + 4096])
        under_way.collector.start()
        under_way.await_acknowledged(_SOME_BATCHES)
        under_way.finish()
        return census.take(under_way.plan, under_way.collector.dsn)


def corrupt_record(folder: Path, seed: int) -> Census:
    """One waiting record rots on disk: it alone is set aside as a dead letter, everything else is stored."""
    with _trial_on_an_engine_room(folder, seed) as (room, under_way):
        with room.full(under_way.collector.process_id):
            under_way.await_acknowledged(_SOME_BATCHES)
            under_way.finish_sending()
            under_way.collector.kill()
        spans = _spoil_one_record(under_way.collector.data_dir / "journal.sqlite")
        under_way.collector.start()
        under_way.collector.await_written()
        under_way.collector.stop()
        found = census.take(under_way.plan, under_way.collector.dsn)
    if (found.lost, found.dead_letters) != (spans, 1):
        raise AssertionError(f"one record of {spans} spans was spoiled, but: {found}")
    return found


def clock_steps_back(folder: Path, seed: int) -> Census:
    """The collector's clock is set back an hour under load, and once more while it is down."""
    folder.mkdir(parents=True, exist_ok=True)
    clock = folder / "clock.txt"
    clock.write_text("0")
    with _trial(folder, seed, launcher=["-m", "tests.chaos.stepping_clock", str(clock)]) as under_way:
        for offset_s in ("-3600", "-7200"):
            under_way.await_acknowledged(_SOME_BATCHES)
            _set(clock, offset_s)
            under_way.await_acknowledged(_SOME_BATCHES)
            under_way.collector.stop()
            under_way.collector.start()
        under_way.await_acknowledged(_SOME_BATCHES)
        under_way.finish()
        return census.take(under_way.plan, under_way.collector.dsn)


def _trial(folder: Path, seed: int, **options: Any) -> AbstractContextManager[Trial]:
    """A trial under a steady load, without alert rules: theirs are the most questions after every start."""
    return processes.trial(folder, seed, pause_s=_PAUSE_S, LOOPWATCH_RULES=str(no_rules(folder)), **options)


@contextmanager
def _trial_on_an_engine_room(folder: Path, seed: int) -> Generator[tuple[Room, Trial]]:
    with (
        disks.engine_room(folder / "engine", _DISK_MIB) as room,
        _trial(folder / "trial", seed, LOOPWATCH_DSN=f"chdb://{room.path}", **_THE_DISK_ITSELF_REFUSES) as under_way,
    ):
        yield room, under_way


def _set(clock: Path, offset_s: str) -> None:
    draft = clock.with_suffix(".draft")
    draft.write_text(offset_s)
    draft.replace(clock)


def _answer(under_way: Trial) -> int:
    """How a batch that is stored already is answered now; a refusal must say when to come back."""
    request = urllib.request.Request(
        under_way.collector.await_ready() + "/v1/traces",
        under_way.plan.load.body(0),
        {"content-type": "application/x-protobuf", "content-encoding": "gzip"},
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as reply:
            return reply.status
    except urllib.error.HTTPError as refusal:
        if refusal.code == 503 and not 1 <= int(refusal.headers["retry-after"]) <= 3:
            raise AssertionError(f"Retry-After is {refusal.headers['retry-after']}") from refusal
        return refusal.code


def _read_api(under_way: Trial) -> None:
    url = under_way.collector.await_ready()
    with urllib.request.urlopen(f"{url}/api/v1/runs?from=0&to=2100-01-01&limit=5", timeout=30) as reply:
        if reply.status != 200:
            raise AssertionError(f"the runs were answered with {reply.status}")


def _expect_refusal(collector: Collector, word: str) -> None:
    already = collector.log.stat().st_size if collector.log.exists() else 0
    status = collector.wait()
    said = collector.log.read_bytes()[already:].decode().strip()
    if status != 1 or word not in said or "Traceback" in said:
        raise AssertionError(f"status {status}, and it said: {said}")


def _spoil_one_record(path: Path) -> int:
    """Changes a byte of one waiting body behind SQLite's back; returns how many spans it held."""
    with closing(sqlite3.connect(path)) as journal:
        items, body = journal.execute(
            "SELECT items, body FROM records ORDER BY length(body) LIMIT 1 OFFSET 3"
        ).fetchone()
        journal.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = path.read_bytes()
    at = content.index(body) + len(body) // 2
    path.write_bytes(content[:at] + bytes([content[at] ^ 0x10]) + content[at + 1 :])
    return items
