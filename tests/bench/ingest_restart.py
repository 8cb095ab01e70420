"""A collector that starts again with a million spans in its journal: when it receives, and how it catches up."""

import tempfile
import time
import urllib.request
from pathlib import Path

from loopwatch_collector.journal.journal import Journal, JournalLimits
from loopwatch_collector.journal.record import Record
from loopwatch_collector.metrics import Metrics
from tests.bench.ingest_bodies import SPANS, copies, template
from tests.bench.ingest_throughput import metrics_of, resident_mb
from tests.processes import collector, wait_for

SPANS_WAITING = 1_000_000
CATCH_UP_S = 60


def _fill(folder: Path) -> int:
    """Writes a journal as a killed collector leaves it; returns how many spans it holds."""
    journal = Journal(folder / "data" / "journal.sqlite", JournalLimits(), Metrics())
    made_from = template()
    records = SPANS_WAITING // SPANS + 1
    for number in range(records):
        body = copies(made_from, 1)[0]
        done = journal.append(Record("traces", "default", number + 1, "gzip", SPANS, body, memory_bytes=4 * 2**20))
        if number % 50 == 0:
            done.result()
    done.result()
    journal.close()
    return records * SPANS


def main() -> None:
    """Runs the benchmark and prints its table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with collector(folder):
            pass  # the store is there, as it is wherever something was received
        waiting = _fill(folder)
        size = sum(file.stat().st_size for file in (folder / "data").iterdir())
        print(f"{waiting:,} spans wait in the journal, {size / 2**20:.0f} MB")
        extra = copies(template(), 1)[0]
        started = time.monotonic()
        with collector(folder) as running:
            headers = {"content-type": "application/x-protobuf", "content-encoding": "gzip"}
            request = urllib.request.Request(f"{running.url}/v1/traces", extra, headers)
            with urllib.request.urlopen(request, timeout=60) as reply:
                assert reply.status == 200
            print(f"receiving again after {time.monotonic() - started:.2f} s (process start included)")
            end = time.monotonic() + CATCH_UP_S
            wait_for(
                lambda: (
                    time.monotonic() > end
                    or metrics_of(running.url)["loopwatch_written_spans_total"] >= waiting + SPANS
                ),
                "it catches up",
                CATCH_UP_S + 30,
            )
            written = metrics_of(running.url)["loopwatch_written_spans_total"]
            seconds = time.monotonic() - started
            print(f"{written:,.0f} of them written {seconds:.0f} s after the start: {written / seconds:,.0f} spans/s")
            print(f"memory {resident_mb(running.process.pid):.0f} MB")


if __name__ == "__main__":
    main()
