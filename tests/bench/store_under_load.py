"""Queries at the API over one day, first with nothing else going on, then while spans arrive.

LOOPWATCH_BENCH_STORE and LOOPWATCH_BENCH_SPANS as in store_fleet; a store that is named is written to.
"""

import json
import statistics
import time
import urllib.request
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from loopwatch_collector.queries.catalogue import catalogue
from tests.bench.ingest_bodies import SPANS, copies, template
from tests.bench.ingest_throughput import Sender, Watch, metrics_of
from tests.bench.store_fleet import KEPT, LAST_DAY, store_directory
from tests.bench.store_queries import REQUIRED
from tests.processes import collector, wait_for

RATE = 2_000
ROUNDS = 7
_LONGEST_S = 90


def main() -> None:
    """Prints the table."""
    bodies = [copies(template(number % 8), 1)[0] for number in range(_LONGEST_S * RATE // SPANS)]
    with store_directory() as directory, TemporaryDirectory() as folder:
        environment = {**KEPT, "LOOPWATCH_DSN": f"chdb://{directory}"}
        with collector(Path(folder), **environment) as running:
            _rounds(running.url, 1)  # the first answer of a query is planned and read for the first time
            alone = _rounds(running.url, ROUNDS)
            sender, watch = Sender(running.url, bodies, 0, 1, RATE), Watch(running.url, running.process.pid)
            sender.start()
            watch.start()
            wait_for(lambda: len(watch.lags_s) >= 5, "spans arrive")
            loaded = _rounds(running.url, ROUNDS)
            arriving = sender.is_alive()
            sender.stopping.set()
            sender.join()
            wait_for(lambda: metrics_of(running.url)["loopwatch_journal_records"] == 0, "everything is queryable")
            watch.stopping.set()
            watch.join()
    _print(alone, loaded)
    if not arriving:
        print("the spans came to an end before the questions: raise _LONGEST_S")
    print(f"{sender.acknowledged:,} spans arrived, {sender.refused} refused")
    print(f"lag {statistics.median(watch.lags_s):.1f} s median, {max(watch.lags_s):.1f} s highest")


def _rounds(url: str, rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each answer, by what was asked."""
    times: dict[str, list[float]] = {}
    for _ in range(rounds):
        for name, address in _addresses().items():
            began = time.perf_counter()
            with urllib.request.urlopen(url + address, timeout=60) as reply:
                json.load(reply)
            times.setdefault(name, []).append((time.perf_counter() - began) * 1000)
    return times


def _addresses() -> dict[str, str]:
    range_ = f"from={LAST_DAY}&to={LAST_DAY + timedelta(days=1)}&limit=100"
    asked = {"latest 50 runs": f"/api/v1/runs?from={LAST_DAY - timedelta(days=30)}&to=2100-01-01&limit=50"}
    for name, query in catalogue().items():
        params = "".join(f"&{param.name}={REQUIRED[param.name]}" for param in query.params if param.default is None)
        asked[name] = f"/api/v1/queries/{name}?{range_}{params}"
    return asked


def _print(alone: dict[str, list[float]], loaded: dict[str, list[float]]) -> None:
    print(f"{'':28} {'alone':>8} {'loaded':>8} {'ratio':>6}   median ms, one day, {RATE:,} spans/s arriving")
    ratios: list[float] = []
    for name, times in alone.items():
        before, while_ = statistics.median(times), statistics.median(loaded[name])
        ratios.append(while_ / before)
        print(f"{name:28} {before:>8.1f} {while_:>8.1f} {ratios[-1]:>6.2f}")
    print(f"{'median of the ratios':28} {'':>8} {'':>8} {statistics.median(ratios):>6.2f}")


if __name__ == "__main__":
    main()
