"""Stores of a chosen size for the benchmarks, made inside the engine: spans, contents, and the runs derived of them."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from loopwatch_collector.store.rebuild import rebuild_runs
from loopwatch_collector.store.store import Store

LAST_DAY = date(2026, 11, 20)
SPANS_PER_RUN = 36


@contextmanager
def filled_store(spans: int, days: int, *, with_content: bool) -> Iterator[Store]:
    """Gives a store with about so many spans, spread evenly over days that end with LAST_DAY."""
    with TemporaryDirectory(prefix="loopwatch-bench-") as folder:
        store = Store.open(f"chdb://{folder}/store")
        try:
            fill(store, max(spans // SPANS_PER_RUN // days, 1), days, with_content=with_content)
            yield store
        finally:
            store.close()


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
