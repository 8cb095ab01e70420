"""Spans per second from request to queryable row, and what each stage costs.

python -m tests.bench.ingest_throughput [--seconds 60] [--senders 3] [--rate SPANS_PER_SECOND]
"""

import argparse
import http.client
import os
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

from tests.bench.ingest_bodies import SPANS, copies, template
from tests.processes import collector, wait_for

_TICKS = os.sysconf("SC_CLK_TCK")


def metrics_of(url: str) -> dict[str, float]:
    """The collector's metrics, by name with labels."""
    with urllib.request.urlopen(f"{url}/metrics", timeout=30) as reply:
        lines = reply.read().decode().splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if line and not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


def cpu_seconds(pid: int) -> float:
    """CPU a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def resident_mb(pid: int) -> float:
    """Memory a process holds."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))) / 1024


def cpu_by_thread(pid: int) -> dict[str, float]:
    """CPU seconds by the name of the thread."""
    found: dict[str, float] = {}
    for stat in Path(f"/proc/{pid}/task").glob("*/stat"):
        head, _, tail = stat.read_text().rpartition(")")
        fields = tail.split()
        name = head.partition("(")[2]
        found[name] = found.get(name, 0.0) + (int(fields[11]) + int(fields[12])) / _TICKS
    return found


class Sender(threading.Thread):
    """Sends bodies over one connection until told to stop."""

    def __init__(self, url: str, bodies: list[bytes], offset: int, stride: int, pause_s: float) -> None:
        super().__init__(daemon=True)
        self._address = urlsplit(url).netloc
        self._bodies = bodies[offset::stride]
        self._pause_s = pause_s
        self.stopping = threading.Event()
        self.acknowledged = 0
        self.refused = 0
        self.exhausted = False

    def run(self) -> None:
        connection = http.client.HTTPConnection(self._address, timeout=60)
        headers = {"content-type": "application/x-protobuf", "content-encoding": "gzip"}
        for body in self._bodies:
            if self.stopping.is_set():
                return
            started = time.monotonic()
            connection.request("POST", "/v1/traces", body, headers)
            answer = connection.getresponse()
            answer.read()
            if answer.status == 200:
                self.acknowledged += SPANS
            else:
                self.refused += SPANS
                time.sleep(0.2)
            time.sleep(max(0.0, self._pause_s - (time.monotonic() - started)))
        self.exhausted = True


def main() -> None:
    """Runs the benchmark as `make bench` does and prints its table."""
    run(_options([]))


def _options(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--senders", type=int, default=3)
    parser.add_argument("--rate", type=float, default=0, help="spans per second to offer; 0: as many as it takes")
    parser.add_argument("--bodies", type=int, default=0, help="distinct bodies; 0: enough for 35,000 spans/s")
    return parser.parse_args(argv)


def run(arguments: argparse.Namespace) -> None:
    """Runs the benchmark and prints its table."""
    count = arguments.bodies or int(arguments.seconds * 35_000 / SPANS) + 1
    made_from = template()
    bodies = copies(made_from, count)
    print(
        f"{count} bodies of {SPANS} spans, {len(made_from.body) / SPANS / 1000:.2f} KB a span, "
        f"gzip {len(made_from.body) / (sum(map(len, bodies)) / count):.1f}"
    )
    with tempfile.TemporaryDirectory() as folder, collector(Path(folder)) as running:
        _measure(running.url, running.process.pid, bodies, arguments)


def _measure(url: str, pid: int, bodies: list[bytes], arguments: argparse.Namespace) -> None:
    pause_s = SPANS * arguments.senders / arguments.rate if arguments.rate else 0.0
    senders = [Sender(url, bodies, i, arguments.senders, pause_s) for i in range(arguments.senders)]
    before, cpu_before, started = metrics_of(url), cpu_seconds(pid), time.monotonic()
    for sender in senders:
        sender.start()
    end = started + arguments.seconds
    peak_mb = 0.0
    while time.monotonic() < end and not all(sender.exhausted for sender in senders):
        time.sleep(0.25)
        peak_mb = max(peak_mb, resident_mb(pid))
    sent_s = time.monotonic() - started
    acknowledged = sum(sender.acknowledged for sender in senders)
    written_then = metrics_of(url)["loopwatch_written_spans_total"] - before["loopwatch_written_spans_total"]
    for sender in senders:
        sender.stopping.set()
    for sender in senders:
        sender.join()
    total = sum(sender.acknowledged for sender in senders)
    wait_for(lambda: metrics_of(url)["loopwatch_written_spans_total"] >= total, "everything is written", 300)
    drained_s = time.monotonic() - started
    cpu, after = cpu_seconds(pid) - cpu_before, metrics_of(url)
    print(f"acknowledged  {acknowledged / sent_s:10,.0f} spans/s over {sent_s:.0f} s")
    print(f"written       {written_then / sent_s:10,.0f} spans/s in that time")
    print(f"in the end    {total / drained_s:10,.0f} spans/s: all of {total:,} after {drained_s:.1f} s")
    print(f"refused       {sum(sender.refused for sender in senders):10,} spans")
    print(f"CPU           {cpu / total * 1e6:10.1f} µs a span (collector, engine included)")
    threads = sorted(cpu_by_thread(pid).items(), key=lambda item: -item[1])
    print("  by thread   " + ", ".join(f"{name} {seconds / total * 1e6:.1f}" for name, seconds in threads[:8]))
    print(f"peak memory   {peak_mb:10.0f} MB")
    for stage in ("normalise", "insert", "runs"):
        key = f'loopwatch_write_seconds_sum{{stage="{stage}"}}'
        print(f"  {stage:12}{(after[key] - before.get(key, 0)) / total * 1e6:10.1f} µs a span")
    for name in ("acknowledge", "journal_commit"):
        key = f"loopwatch_{name}_seconds"
        spent, times = (after[f"{key}_{part}"] - before[f"{key}_{part}"] for part in ("sum", "count"))
        print(f"  {name:12}{spent / max(1, times) * 1e3:10.1f} ms a time, {times:.0f} times")
    batches = after["loopwatch_batch_spans_count"] - before["loopwatch_batch_spans_count"]
    print(f"  batches     {batches:10.0f} of {total / batches:,.0f} spans")


if __name__ == "__main__":
    run(_options(sys.argv[1:]))
