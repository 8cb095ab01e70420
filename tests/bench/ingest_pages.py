"""Memory and CPU of a collector that stores spans in a full store while pages are open and refresh themselves.

python -m tests.bench.ingest_pages [SPANS_PER_S ...]

Without an argument 8,000 spans/s are offered. LOOPWATCH_BENCH_STORE and LOOPWATCH_BENCH_SPANS as in store_fleet, but
for the size without either: ten million. A store that is named is written to.
"""

import sys
import time
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.ingest_bodies import SPANS, copies, template
from tests.bench.ingest_throughput import Sender, Watch, cpu_seconds, resident_mb
from tests.bench.store_fleet import KEPT, store_directory
from tests.browsing import Visit, chromium, new_tab, person
from tests.processes import collector, dashboards

SECONDS = 60
RATE = 8_000
SPANS_STORED = 10_000_000
PAGES = ("/?live=15", "/tools?live=15", "/cost?live=15", "/runs?live=5")
_CONNECTIONS = 3
_TEMPLATES = 8
_SETTLE_S = 30  # a store of an earlier version is brought up to date in the background
_LOOK_MS = 500


def main(argv: list[str] | None = None) -> None:
    """Runs the benchmark and prints a line for each rate."""
    rates = [int(rate) for rate in argv or []] or [RATE]
    with store_directory(SPANS_STORED) as directory, TemporaryDirectory() as folder, ExitStack() as stack:
        environment = {**KEPT, "LOOPWATCH_DSN": f"chdb://{directory}"}
        running = stack.enter_context(collector(Path(folder) / "collector", **environment))
        time.sleep(_SETTLE_S)
        print(f"at rest        {resident_mb(running.process.pid):.0f} MB")
        shown = stack.enter_context(dashboards(Path(folder) / "dashboards", running.url))
        someone = stack.enter_context(person(stack.enter_context(chromium())))
        tabs = [stack.enter_context(new_tab(someone, shown.url)) for _ in PAGES]
        for tab, page in zip(tabs, PAGES, strict=True):
            tab.goto(shown.url + page)
        print(f"{len(PAGES)} pages open   {resident_mb(running.process.pid):.0f} MB")
        for rate in rates:
            _measure(running.url, running.process.pid, rate, tabs)


def _measure(url: str, pid: int, rate: int, tabs: list[Visit]) -> None:
    made_from = [template(seed) for seed in range(_TEMPLATES)]
    bodies = [copies(made_from[number % _TEMPLATES], 1)[0] for number in range(SECONDS * rate // SPANS)]
    watch = Watch(url, pid)
    senders = [Sender(url, bodies, number, _CONNECTIONS, rate) for number in range(_CONNECTIONS)]
    began, used = time.monotonic(), cpu_seconds(pid)
    for thread in (watch, *senders):
        thread.start()
    while any(sender.is_alive() for sender in senders):
        tabs[0].page.wait_for_timeout(_LOOK_MS)  # the browser is served meanwhile
    seconds = time.monotonic() - began
    watch.stopping.set()
    watch.join()
    acknowledged = sum(sender.acknowledged for sender in senders)
    print(
        f"{rate:,} spans/s offered: {acknowledged / seconds:,.0f}/s acknowledged, "
        f"{(cpu_seconds(pid) - used) / seconds:.0%} of a core, at most {watch.peak_mb:.0f} MB, "
        f"{watch.lags_s[-1]:.1f} s behind at the end"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
