"""What is on the disk: bytes a span without content, and with content against the gzip of the same OTLP bodies.

Two fleets, sent through the collector's own decoding as the writer does it: that of `loopwatch simulate`, whose texts
are random words; and, where LOOPWATCH_BENCH_DATA names a folder with tau_bench_airline/gpt-4o-airline.json, recorded
conversations told again with other names, ids and numbers (store_corpus). An OTLP body is what one request holds: 512
spans of many runs, as a busy process sends them, or 16, as one agent does whose turns take seconds.
"""

import gzip
import os
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from loopwatch_collector.journal.record import Record
from loopwatch_collector.metrics import Metrics
from loopwatch_collector.prices.price import Pricer
from loopwatch_collector.simulate.simulation import Simulation
from loopwatch_collector.simulate.truth import Truth
from loopwatch_collector.store.rebuild import rebuild_runs
from loopwatch_collector.store.store import Store
from loopwatch_collector.write.senders import Senders
from loopwatch_collector.write.storing import Storing
from tests.bench import store_corpus

FIRST_DAY_NS: Final = 20_770 * 86_400 * 10**9
RUNS: Final = 1_600
TOLD: Final = 4
TABLES: Final = ("spans", "contents", "runs")
REQUEST_SPANS: Final = (512, 16)
Requests = Callable[[int], Iterable[tuple[bytes, int]]]


def main() -> None:
    """Prints the table."""
    head = f"{'spans':>8} {'spans B':>8} {'contents B':>11} {'runs B':>7} {'all B':>7}"
    print(f"{'':24} {head}" + "".join(f" {f'gzip B ({size})':>13} {'ratio':>6}" for size in REQUEST_SPANS))
    _measure("simulated, no content", partial(_simulated, has_content=False))
    _measure("simulated, content", partial(_simulated, has_content=True))
    data = os.environ.get("LOOPWATCH_BENCH_DATA")
    if data is None:
        print("recorded conversations: LOOPWATCH_BENCH_DATA names no folder")
        return
    told = store_corpus.trajectories(Path(data) / "tau_bench_airline" / "gpt-4o-airline.json")
    _measure("recorded, content", lambda size: store_corpus.requests(told, TOLD, FIRST_DAY_NS, size))


def _measure(name: str, requests: Requests) -> None:
    with TemporaryDirectory(prefix="loopwatch-bench-") as folder:
        store = Store.open(f"chdb://{folder}/store")
        spans = send(store, requests(REQUEST_SPANS[0]))
        rebuild_runs(store)
        for table in TABLES:
            store.connection().run(f"OPTIMIZE TABLE {table} FINAL")
        sizes = dict(
            store.connection().rows("SELECT table, sum(bytes_on_disk) FROM system.parts WHERE active GROUP BY table")
        )
        store.close()
    each = [sizes.get(table, 0) / spans for table in TABLES]
    cells = [f"{spans:>8,} {each[0]:>8.1f} {each[1]:>11.1f} {each[2]:>7.1f} {sum(each):>7.1f}"]
    for size in REQUEST_SPANS:
        zipped = sum(len(gzip.compress(body, 6)) for body, _ in requests(size)) / spans
        cells.append(f"{zipped:>13.1f} {sum(each) / zipped:>6.2f}")
    print(f"{name:24} " + " ".join(cells), flush=True)


def _simulated(spans_per_request: int, *, has_content: bool) -> Iterable[tuple[bytes, int]]:
    simulation = Simulation(FIRST_DAY_NS, 1, RUNS, seed=1, has_content=has_content, incident_kinds=())
    return simulation.requests(Truth(), spans_per_request=spans_per_request)


def send(store: Store, requests: Iterable[tuple[bytes, int]]) -> int:
    """Stores the spans of requests as the writer does, and returns how many they are."""
    storing = Storing(store, Pricer(), Metrics(), Senders())
    total = 0
    records: list[Record] = []
    for number, (body, spans) in enumerate(requests, 1):
        total += spans
        records.append(Record("traces", "default", number, "", spans, body))
        if len(records) == 10:
            storing.write(storing.prepare(records), is_stubborn=False)
            records = []
    if records:
        storing.write(storing.prepare(records), is_stubborn=False)
    return total


if __name__ == "__main__":
    main()
