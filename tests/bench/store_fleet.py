"""Stores of a chosen size for the benchmarks, made inside the engine: spans, contents, and the runs derived of them.

`python -m tests.bench.store_fleet DIRECTORY SPANS` makes a store there, or lengthens the one that is there.
"""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from loopwatch_collector.store.rebuild import rebuild_runs
from loopwatch_collector.store.store import Store

LAST_DAY: Final = date(2026, 11, 20)
SPANS_PER_RUN: Final = 36
SPANS_PER_DAY: Final = 166_667
_DRAWN_DAYS: Final = 6
"""Days whose spans are drawn and whose runs are derived; those before are copies of them, which take a fifth."""
_MOST_WITH_CONTENT: Final = 10_000_000
KEPT: Final = {"LOOPWATCH_RETENTION_DAYS": "4000", "LOOPWATCH_CONTENT_RETENTION_DAYS": "4000"}
"""Settings of a collector over such a store: its days are past, and it would delete them."""


@contextmanager
def store_directory(usual_spans: int = 1_000_000) -> Iterator[Path]:
    """Gives the directory of a store, closed: the one LOOPWATCH_BENCH_STORE names, or one made for the purpose.

    LOOPWATCH_BENCH_SPANS sets the size of that one: so many spans, with content, SPANS_PER_DAY of them on each of the
    days that end with LAST_DAY.

    Args:
        usual_spans: its size where that variable is not set.
    """
    made_before = os.environ.get("LOOPWATCH_BENCH_STORE")
    if made_before:
        yield Path(made_before)
        return
    spans = int(os.environ.get("LOOPWATCH_BENCH_SPANS", usual_spans))
    with TemporaryDirectory(prefix="loopwatch-bench-") as folder:
        grow(Path(folder) / "store", spans)
        yield Path(folder) / "store"


def grow(directory: Path, spans: int) -> None:
    """Makes a store, or lengthens it, and prints how long that took.

    Args:
        directory: the store's, closed.
        spans: how many there are to be, SPANS_PER_DAY of them a day; days beyond 10 million spans have no content.
    """
    began = time.perf_counter()
    days = max(round(spans / SPANS_PER_DAY), 1)
    with closing(Store.open(f"chdb://{directory}")) as store:
        there = store.connection().rows("SELECT uniqExact(toDate(start_time)) FROM runs")[0][0]
        drawn = min(days, _DRAWN_DAYS)
        if there < drawn:
            _draw(store, range(there, drawn))
        _copy(store, max(there, drawn), days, with_content=spans <= _MOST_WITH_CONTENT)
    print(f"{spans:,} spans were there after {time.perf_counter() - began:.0f} s", flush=True)


def _draw(store: Store, offsets: range) -> None:
    """Makes the days so many days before the last."""
    began = time.perf_counter()
    for offset in offsets:
        values = {
            "project": "default",
            "day": LAST_DAY - timedelta(days=offset),
            "runs": SPANS_PER_DAY // SPANS_PER_RUN,
        }
        for statement in ("store_spans", "store_contents"):
            store.connection().run(_sql(statement), values)
    drawn = time.perf_counter()
    rebuilt = rebuild_runs(store)
    derived_s = time.perf_counter() - drawn
    print(
        f"{len(offsets)} days drawn in {drawn - began:.0f} s, {rebuilt.runs} runs derived in {derived_s:.0f} s",
        flush=True,
    )


def _copy(store: Store, there: int, days: int, *, with_content: bool) -> None:
    """Repeats the drawn days until there are so many. Copies are never copied: ids would come twice."""
    tables = ("spans", "contents") if with_content else ("spans",)
    for shift in range(there, days, _DRAWN_DAYS):
        values = {"project": "default", "shift": shift}
        first, last = LAST_DAY - timedelta(days=_DRAWN_DAYS - 1), LAST_DAY + timedelta(days=1)
        store.connection().run(_sql("store_copy_runs"), {**values, "from": first, "to": last})
        for offset in range(_DRAWN_DAYS):
            for table in tables:
                day = LAST_DAY - timedelta(days=offset)
                store.connection().run(_sql(f"store_copy_{table}"), {**values, "day": day})


def _sql(name: str) -> str:
    return (Path(__file__).parent / f"{name}.sql").read_text()


if __name__ == "__main__":
    grow(Path(sys.argv[1]), int(sys.argv[2]))
