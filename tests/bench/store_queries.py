"""Time of every named query, over one day and over the whole range, of the latest runs, one run, and a text search.

One store grows from size to size; each size is measured by a process of its own, so that its memory is what the
questions took. LOOPWATCH_BENCH_SIZES names the sizes in spans (default 1000000,10000000; add 100000000 for an hour
more). A day has as many spans whatever the size, so more spans are more days. LOOPWATCH_BENCH_STORE names a store made
before instead, and LOOPWATCH_BENCH_RANGES=day leaves the whole range out.
"""

import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from loopwatch_collector.queries.catalogue import catalogue
from loopwatch_collector.queries.runner import Question, ask
from loopwatch_collector.queries.runs import get_run, get_spans, list_runs
from loopwatch_collector.queries.times import parse_time
from loopwatch_collector.store.errors import QueryTooLarge
from loopwatch_collector.store.store import Store
from tests.bench.store_fleet import LAST_DAY

REQUIRED = {"version_a": "10", "version_b": "11"}


def main() -> None:
    """Prints a table per size."""
    made_before = os.environ.get("LOOPWATCH_BENCH_STORE")
    if made_before:
        _run("tests.bench.store_queries", made_before)
        return
    sizes = sorted(int(size) for size in os.environ.get("LOOPWATCH_BENCH_SIZES", "1000000,10000000").split(","))
    with TemporaryDirectory(prefix="loopwatch-bench-") as folder:
        for size in sizes:
            print(f"\n{size:,} spans", flush=True)
            _run("tests.bench.store_fleet", f"{folder}/store", str(size))
            _run("tests.bench.store_queries", f"{folder}/store")


def _run(module: str, *arguments: str) -> None:
    subprocess.run([sys.executable, "-m", module, *arguments], check=True)


def _measure(directory: Path) -> None:
    began = time.perf_counter()
    with closing(Store.open(f"chdb://{directory}")) as store:
        _report(store)
    print(f"measured in {time.perf_counter() - began:.0f} s", flush=True)


def _report(store: Store) -> None:
    days = _sizes(store)
    end = parse_time("to", (LAST_DAY + timedelta(days=1)).isoformat())
    day, whole = (end - 86_400 * 10**9, end), (end - days * 86_400 * 10**9, end)
    ranges = [day] if os.environ.get("LOOPWATCH_BENCH_RANGES") == "day" else [day, whole]
    print(f"{'':28} {'one day':>10} {f'{days} days':>12}   median ms (first)")
    for name, query in catalogue().items():
        params = {param.name: REQUIRED[param.name] for param in query.params if param.default is None}
        cells = [_timed(_asking(store, Question(name, "default", *span, params, limit=100))) for span in ranges]
        print(f"{name:28} {cells[0]:>10} {cells[-1]:>12}   {'runs' if _on_runs(query.sql) else 'spans'}", flush=True)
    runs = list_runs(store.connection(), "default", *whole, {}, 50).runs
    run_id = runs[0]["run_id"]
    reads: dict[str, Callable[[], Any]] = {
        "latest 50 runs": lambda: list_runs(store.connection(), "default", *whole, {}, 50),
        "one run": lambda: get_run(store.connection(), "default", run_id),
        "one run with its spans": lambda: get_spans(store.connection(), "default", run_id, with_content=False),
        "the same with content": lambda: get_spans(store.connection(), "default", run_id, with_content=True),
        "text search, one day": lambda: _search(store, day, '"connection pool"'),
        "sequence search, one day": lambda: _search(store, day, "failed(search_logs) then escalated()"),
    }
    for name, read in reads.items():
        print(f"{name:28} {_timed(read):>10}")
    print(f"memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB at most")


def _asking(store: Store, question: Question) -> Callable[[], Any]:
    return lambda: ask(store.connection(), question)


def _search(store: Store, span: tuple[int, int], text: str) -> Any:
    return list_runs(store.connection(), "default", *span, {}, 50, filter_text=text)


def _timed(call: Callable[[], Any]) -> str:
    times: list[float] = []
    for _ in range(5):
        began = time.perf_counter()
        try:
            call()
        except QueryTooLarge as fault:
            return f"refused: {str(fault)[:40]}"
        times.append((time.perf_counter() - began) * 1000)
        if sum(times) > 3000:
            break
    return f"{statistics.median(times):.1f} ({times[0]:.0f})"


def _on_runs(sql: str) -> bool:
    return "FROM spans" not in sql


def _sizes(store: Store) -> int:
    """Prints what is on the disk and returns how many days of spans there are."""
    rows = store.connection().rows(
        "SELECT table, sum(rows), sum(bytes_on_disk), count() FROM system.parts "
        "WHERE active GROUP BY table ORDER BY table"
    )
    for table, count, size, parts in rows:
        if count > 1000:
            print(
                f"{table:10} {count:>11,} rows {size / 2**20:>9,.1f} MB {size / count:>6.1f} bytes each {parts} parts"
            )
    return store.connection().rows("SELECT dateDiff('day', min(start_time), max(start_time)) + 1 FROM spans")[0][0]


if __name__ == "__main__":
    _measure(Path(sys.argv[1]))
