"""Spans per second from request to queryable row, and what each stage costs.

python -m tests.bench.ingest_throughput [--seconds 60] [--senders 3] [--rate SPANS_PER_SECOND] [--store DIRECTORY]

A rate is sustained when the lag at the end is no higher than in the middle. The requests are made before the clock
starts; sending them costs this process some µs a span on the same two cores. What unpacking and parsing the same
bodies costs here comes first: by it, figures of different machines, or of a busy one, can be compared.
"""

import argparse
import http.client
import os
import statistics
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from isal import igzip
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.bench.ingest_bodies import SPANS, copies, template
from tests.processes import collector

RATES = (15_000, 0)
"""Spans per second that `make bench` offers: what must be sustained, and as many as are taken."""

_TICKS = os.sysconf("SC_CLK_TCK")
_MOST_PER_S = 35_000
_LOOK_S = 2.0  # each look costs the collector some ms, which its spans do not
_TEMPLATES = 8  # the texts repeat after that many requests
_CALIBRATION_ROUNDS = 9
_REFERENCE_US = (2.59, 0.91)
"""Of a span on the machine of the targets: unpacking (isal) and parsing (upb)."""


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
    """Sends every so-many-th body over one connection, at its time or as soon as the last was answered."""

    def __init__(self, url: str, bodies: list[bytes], offset: int, stride: int, rate: float) -> None:
        super().__init__(daemon=True)
        self._address = urlsplit(url).netloc
        self._bodies = bodies[offset::stride]
        self._every_s = SPANS * stride / rate if rate else 0.0
        self.stopping = threading.Event()
        self.acknowledged = 0
        self.refused = 0

    def run(self) -> None:
        connection = http.client.HTTPConnection(self._address, timeout=60)
        headers = {"content-type": "application/x-protobuf", "content-encoding": "gzip"}
        started = time.monotonic()
        for number, body in enumerate(self._bodies):
            if self.stopping.wait(max(0.0, started + number * self._every_s - time.monotonic())):
                return
            connection.request("POST", "/v1/traces", body, headers)
            answer = connection.getresponse()
            answer.read()
            if answer.status == 200:
                self.acknowledged += SPANS
            else:
                self.refused += SPANS
                time.sleep(0.2)


class Watch(threading.Thread):
    """Looks at a collector now and then: how long what it acknowledged has waited, and its memory."""

    def __init__(self, url: str, pid: int) -> None:
        super().__init__(daemon=True)
        self._url, self._pid = url, pid
        self.stopping = threading.Event()
        self.lags_s: list[float] = []
        self.peak_mb = 0.0

    def run(self) -> None:
        while not self.stopping.wait(_LOOK_S):
            self.lags_s.append(metrics_of(self._url)["loopwatch_lag_seconds"])
            self.peak_mb = max(self.peak_mb, resident_mb(self._pid))


def main() -> None:
    """Runs the benchmark as `make bench` does and prints its table: a rate it must sustain, then all it can take."""
    for rate in RATES:
        run(_options(["--rate", str(rate)]))


def _options(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--senders", type=int, default=3)
    parser.add_argument("--rate", type=float, default=0, help="spans per second to offer; 0: as many as it takes")
    parser.add_argument("--store", type=Path, help="a data directory to start from; it is written to")
    return parser.parse_args(argv)


def run(arguments: argparse.Namespace) -> None:
    """Runs the benchmark and prints its table."""
    templates = [template(seed) for seed in range(_TEMPLATES)]
    count = int(arguments.seconds * (arguments.rate or _MOST_PER_S) / SPANS) + arguments.senders
    bodies = [copies(templates[number % _TEMPLATES], 1)[0] for number in range(count)]
    plain = sum(len(made.body) for made in templates) / _TEMPLATES
    offered = f"{arguments.rate:,.0f} spans/s offered" if arguments.rate else "all that is taken"
    print(
        f"{offered} for {arguments.seconds:.0f} s by {arguments.senders} connections: bodies of {SPANS} spans, "
        f"{plain / SPANS / 1000:.2f} KB a span, gzip {plain / (sum(map(len, bodies)) / count):.1f}"
    )
    unpacked_us, parsed_us = calibrated(bodies[:_TEMPLATES])
    print(
        f"this machine  {unpacked_us:10.2f} µs of CPU to unpack a span, {parsed_us:.2f} to parse it: "
        f"{unpacked_us / _REFERENCE_US[0]:.1f} and {parsed_us / _REFERENCE_US[1]:.1f} times the reference"
    )
    with tempfile.TemporaryDirectory() as folder, collector(arguments.store or Path(folder)) as running:
        _measure(running.url, running.process.pid, bodies, arguments)


def calibrated(bodies: list[bytes]) -> tuple[float, float]:
    """What unpacking and parsing one span costs this process: µs of CPU, the median of some rounds over all bodies."""
    plain = [igzip.decompress(body) for body in bodies]
    return (
        _cpu_us_per_span(lambda: [igzip.decompress(body) for body in bodies], len(bodies)),
        _cpu_us_per_span(lambda: [ExportTraceServiceRequest.FromString(body) for body in plain], len(bodies)),
    )


def _cpu_us_per_span(work: Callable[[], object], bodies: int) -> float:
    rounds: list[float] = []
    for _ in range(_CALIBRATION_ROUNDS):
        started = time.thread_time()
        work()
        rounds.append(time.thread_time() - started)
    return statistics.median(rounds) / bodies / SPANS * 1e6


def _measure(url: str, pid: int, bodies: list[bytes], arguments: argparse.Namespace) -> None:
    senders = [Sender(url, bodies, i, arguments.senders, arguments.rate) for i in range(arguments.senders)]
    watch = Watch(url, pid)
    before, threads_before = metrics_of(url), cpu_by_thread(pid)
    cpu_before, own_before, started = cpu_seconds(pid), time.process_time(), time.monotonic()
    for thread in (*senders, watch):
        thread.start()
    for sender in senders:
        sender.join(max(0.0, started + arguments.seconds - time.monotonic()))
        sender.stopping.set()
    for sender in senders:
        sender.join()
    sent_s, own_s, after = time.monotonic() - started, time.process_time() - own_before, metrics_of(url)
    total = sum(sender.acknowledged for sender in senders)
    at_once = _rise(before, after, "loopwatch_written_spans_total")
    drained_s = _drained(url) - started
    cpu, after = cpu_seconds(pid) - cpu_before, metrics_of(url)
    watch.stopping.set()
    watch.join()
    lags = watch.lags_s[: int(sent_s / _LOOK_S)]
    print(f"acknowledged  {total / sent_s:10,.0f} spans/s over {sent_s:.1f} s")
    print(f"written       {at_once / sent_s:10,.0f} spans/s in that time")
    print(
        f"queryable     {total / drained_s:10,.0f} spans/s: all of {total:,}, {drained_s - sent_s:.1f} s after the last"
    )
    print(f"lag           {statistics.median(lags):10.1f} s median, {max(lags):.1f} highest, {lags[-1]:.1f} at the end")
    print(f"refused       {sum(sender.refused for sender in senders):10,} spans")
    print(f"CPU           {cpu / total * 1e6:10.1f} µs a span (the collector's process, engine and merges included)")
    threads = {name: seconds - threads_before.get(name, 0.0) for name, seconds in cpu_by_thread(pid).items()}
    shares = sorted(threads.items(), key=lambda item: -item[1])[:6]
    print("  by thread   " + ", ".join(f"{name} {seconds / total * 1e6:.1f}" for name, seconds in shares))
    print(f"  the senders {own_s / total * 1e6:10.1f} µs a span, on the same cores")
    print(f"peak memory   {watch.peak_mb:10.0f} MB")
    for stage in ("normalise", "insert", "runs"):
        seconds = _rise(before, after, f'loopwatch_write_seconds_sum{{stage="{stage}"}}')
        print(f"  {stage:12}{seconds / total * 1e6:10.1f} µs a span")
    for name in ("acknowledge", "journal_commit"):
        spent, times = (_rise(before, after, f"loopwatch_{name}_seconds_{part}") for part in ("sum", "count"))
        print(f"  {name:12}{spent / max(1, times) * 1e3:10.1f} ms a time, {times:.0f} times")
    batches = _rise(before, after, "loopwatch_batch_spans_count")
    print(f"  batches     {batches:10.0f} of {total / batches:,.0f} spans")


def _drained(url: str) -> float:
    """When everything is queryable, by the monotonic clock."""
    end = time.monotonic() + 300
    while metrics_of(url)["loopwatch_journal_records"]:
        assert time.monotonic() < end, "not everything is queryable within 300 s"
        time.sleep(_LOOK_S / 4)
    return time.monotonic()


def _rise(before: dict[str, float], after: dict[str, float], name: str) -> float:
    return after[name] - before.get(name, 0.0)


if __name__ == "__main__":
    run(_options(sys.argv[1:]))
