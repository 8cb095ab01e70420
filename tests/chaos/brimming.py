"""The store on a disk that is full every other moment: `python -m tests.chaos.brimming FOLDER SEED CYCLES`.

In every cycle the disk fills up at a random moment, while rows are inserted, runs derived and parts merged, and has
room again a moment later. After every cycle what the store has confirmed must be there: each span once and every
run's count of its spans. In the end a new process opens the store and counts again.
"""

import json
import os
import random
import struct
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from loopwatch_collector.errors import Unavailable
from loopwatch_collector.store.rows import SPAN_COLUMNS, SPAN_INDEX
from loopwatch_collector.store.store import Store
from loopwatch_collector.write.touched import TouchedRuns
from tests.chaos import disks
from tests.chaos.census import Census
from tests.chaos.disks import Room
from tests.chaos.load import DAY_NS, recent_midnight_ns

_DISK_MIB = 120
_PATIENCE_S = 600
_BATCHES_PER_RUN = 5
_LONGEST_WITH_ROOM_S = 0.12
_LONGEST_FULL_S = 0.06
_LONGEST_UNMERGED_S = 0.2
_LONGEST_UNDERIVED_S = 0.1
_COUNT_SPANS = "SELECT count(), uniqExact(span_id) FROM spans FINAL"
_COUNT_RUNS = "SELECT run_id, spans FROM runs FINAL SETTINGS do_not_merge_across_partitions_select_final = 1"
_LIST_DETACHED = "SELECT table, name, reason FROM system.detached_parts"
Found = TypeVar("Found")


def run(folder: Path, seed: int, cycles: int) -> Census:
    """Runs the trial in a process of its own, for an embedded engine lives once per process.

    Args:
        folder: a directory that does not exist yet.
        seed: decides sizes and moments.
        cycles: how often the disk fills up.
    """
    return Census(**json.loads(_module("stress", folder, seed, cycles)))


def _module(*words: object) -> str:
    command = [sys.executable, "-m", "tests.chaos.brimming", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE_S, check=False)
    if done.returncode:
        raise AssertionError(f"{command[3:]} failed: {done.stderr[-4000:]}")
    return done.stdout


class _Stress:
    """One writer, and beside it a disk that fills up, merges that are asked for, and runs that are derived."""

    def __init__(self, room: Room, seed: int, cycles: int) -> None:
        self._room = room
        self._chance = random.Random(seed)
        self._cycles = cycles
        self._cycle = 0
        self._stopping = threading.Event()
        self._store = Store.open(f"chdb://{room.path}")
        self._base_ns = recent_midnight_ns(time.time_ns())
        self._touched = TouchedRuns()
        self._deriving = threading.Lock()
        self.spans_of: Counter[str] = Counter()

    def run(self) -> None:
        """Writes until the disk was full often enough."""
        beside = [threading.Thread(target=each) for each in (self._fill, self._merge, self._derive_beside)]
        for thread in beside:
            thread.start()
        try:
            self._write_and_compare()
        finally:
            self._stopping.set()
            for thread in beside:
                thread.join()
        self._store.close()

    def _write_and_compare(self) -> None:
        batch = counted = 0
        while not self._stopping.is_set() or counted < self._cycle:
            batch += 1
            self._write(batch)
            if counted < self._cycle:
                counted = self._cycle
                self._derive()
                self._compare()

    def _write(self, batch: int) -> None:
        rows = [self._row(batch, index) for index in range(self._chance.choice((1, 5, 20, 120)))]
        _taken(lambda: self._store.insert_spans(rows))
        run_id = self._run_id(batch)
        self.spans_of[run_id] += len(rows)
        starts = [row[SPAN_INDEX["start_time"]] for row in rows]
        self._touched.add([("default", run_id, min(starts), max(starts))], ())

    def _derive(self) -> None:
        with self._deriving:
            touches = self._touched.take()
            _taken(lambda: self._store.refresh_runs(*touches))

    def _derive_beside(self) -> None:
        chance = random.Random(self._cycles + 2)
        while not self._stopping.wait(chance.uniform(0, _LONGEST_UNDERIVED_S)):
            self._derive()

    def _compare(self) -> None:
        found = _taken(self._counts)
        expected = [(sum(self.spans_of.values()),) * 2], dict(self.spans_of)
        if found != expected:
            detached = self._store.connection().rows(_LIST_DETACHED)
            raise AssertionError(f"cycle {self._cycle}: {found[0]} instead of {expected[0]}; set aside: {detached}")

    def _counts(self) -> tuple[list[tuple[Any, ...]], dict[str, int]]:
        connection = self._store.connection()
        found = connection.rows(_COUNT_SPANS), dict(connection.rows(_COUNT_RUNS))
        self._store.confirm()  # else a merge went wrong meanwhile, and what was counted lacks its rows
        return found

    def _fill(self) -> None:
        chance = random.Random(self._cycles)
        while self._cycle < self._cycles and not self._stopping.is_set():
            self._stopping.wait(chance.uniform(0, _LONGEST_WITH_ROOM_S))
            with self._room.full(os.getpid()):
                self._stopping.wait(chance.uniform(0, _LONGEST_FULL_S))
            self._cycle += 1
        self._stopping.set()

    def _merge(self) -> None:
        chance = random.Random(self._cycles + 1)
        while not self._stopping.wait(chance.uniform(0, _LONGEST_UNMERGED_S)):
            _taken(lambda: self._store.connection().run("OPTIMIZE TABLE spans"))

    def _row(self, batch: int, index: int) -> list[Any]:
        row: list[Any] = [column.default for column in SPAN_COLUMNS]
        said = {
            "trace_id": struct.pack(">QQ", 1, batch // _BATCHES_PER_RUN),
            "span_id": struct.pack(">II", batch, index),
            "start_time": self._base_ns + index * 10**6 - (DAY_NS if index % 7 == 0 else 0),
            "row_version": batch,
            "run_id": self._run_id(batch),
            "name": self._chance.randbytes(20).hex(),
        }
        for name, value in said.items():
            row[SPAN_INDEX[name]] = value
        return row

    def _run_id(self, batch: int) -> str:
        return f"run-{batch // _BATCHES_PER_RUN}"


def _taken(step: Callable[[], Found]) -> Found:
    """What a step returns once the store can take it."""
    while True:
        try:
            return step()
        except Unavailable:
            time.sleep(0.01)


def _stress(folder: Path, seed: int, cycles: int) -> Census:
    with disks.data_room(folder, _DISK_MIB) as room:
        stress = _Stress(room, seed, cycles)
        stress.run()
        spans, different, in_runs = json.loads(_module("count", room.path))
    expected = sum(stress.spans_of.values())
    return Census(
        acknowledged=expected,
        stored=different,
        lost=max(0, expected - different),
        double=spans - different,
        invented=max(0, different - expected),
        missing_contents=0,
        runs_disagree=in_runs != stress.spans_of,
        dead_letters=0,
    )


def _count(path: Path) -> tuple[int, int, dict[str, int]]:
    store = Store.open(f"chdb://{path}")
    connection = store.connection()
    found = *connection.rows(_COUNT_SPANS)[0], dict(connection.rows(_COUNT_RUNS))
    store.close()
    return found


def main(argv: list[str]) -> int:
    """Prints the census of a trial, or the counts of a store."""
    step, path, *numbers = argv
    found = _count(Path(path)) if step == "count" else asdict(_stress(Path(path), *map(int, numbers)))
    sys.stdout.write(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
