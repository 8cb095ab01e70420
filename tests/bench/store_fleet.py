"""Stores of a chosen size for the benchmarks, made inside the engine: spans, contents, and the runs derived of them."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from loopwatch_collector.store.rebuild import rebuild_runs
from loopwatch_collector.store.store import Store

LAST_DAY = date(2026, 11, 20)
SPANS_PER_RUN = 36
SPANS_PER_DAY = 166_667


@contextmanager
def store_directory() -> Iterator[Path]:
    """Gives the directory of a store, closed: the one LOOPWATCH_BENCH_STORE names, or one made for the purpose.

    LOOPWATCH_BENCH_SPANS sets the size of that one (default 1,000,000): so many spans, with content, SPANS_PER_DAY of
    them on each of the days that end with LAST_DAY.
    """
    made_before = os.environ.get("LOOPWATCH_BENCH_STORE")
    if made_before:
        yield Path(made_before)
        return
    spans = int(os.environ.get("LOOPWATCH_BENCH_SPANS", "1000000"))
    with TemporaryDirectory(prefix="loopwatch-bench-") as folder:
        with closing(Store.open(f"chdb://{folder}/store")) as store:
            fill(store, SPANS_PER_DAY // SPANS_PER_RUN, max(spans // SPANS_PER_DAY, 1), with_content=True)
        yield Path(folder) / "store"


def fill(store: Store, runs_per_day: int, days: int, *, with_content: bool) -> None:
    """Makes the spans and contents of each day, then derives the runs; prints what each took."""
    folder = Path(__file__).parent
    statements = [(folder / "store_spans.sql").read_text()]
    if with_content:
        statements.append((folder / "store_contents.sql").read_text())
    began = time.perf_counter()
    for offset in range(days):
        day = LAST_DAY - timedelta(days=days - 1 - offset)
        for statement in statements:
            store.connection().run(statement, {"project": "default", "day": day, "runs": runs_per_day})
    made = time.perf_counter()
    rebuilt = rebuild_runs(store)
    print(
        f"made in {made - began:.0f} s, {rebuilt.runs} runs derived in {time.perf_counter() - made:.0f} s "
        f"({(time.perf_counter() - made) / max(rebuilt.runs * SPANS_PER_RUN, 1) * 1e6:.1f} us a span)"
    )


def lengthen(store: Store, days: int) -> None:
    """Repeats a store's spans and runs, without content, on the days before, so that there are so many days in all."""
    folder = Path(__file__).parent
    copy_spans, copy_runs = ((folder / f"store_copy_{table}.sql").read_text() for table in ("spans", "runs"))
    first = store.connection().rows("SELECT toDate(min(start_time)) FROM spans")[0][0]
    length = (LAST_DAY - first).days + 1
    for shift in range(length, days, length):
        last = LAST_DAY + timedelta(days=1)
        store.connection().run(copy_runs, {"project": "default", "shift": shift, "from": first, "to": last})
        for offset in range(length):
            day = LAST_DAY - timedelta(days=offset)
            store.connection().run(copy_spans, {"project": "default", "shift": shift, "day": day})


if __name__ == "__main__":
    with store_directory() as directory, closing(Store.open(f"chdb://{directory}")) as opened:
        lengthen(opened, int(sys.argv[1]))
