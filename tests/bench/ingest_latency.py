"""How long a sender waits for its acknowledgement, and how long until what it sent can be asked for; the idle cost.

python -m tests.bench.ingest_latency [--load SPANS_PER_S ...]

500 spans/s in requests of 1 to 20 spans, after the reading at rest; then the same beside each of the loads, in large
requests. Without an argument that is half of what `ingest_throughput` must sustain.
"""

import argparse
import http.client
import random
import statistics
import sys
import tempfile
import threading
import time
import urllib.parse
from pathlib import Path
from urllib.parse import urlsplit

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from tests.bench.ingest_bodies import SPANS, copies, template
from tests.bench.ingest_throughput import RATES, Sender, cpu_seconds, resident_mb
from tests.processes import collector, wait_for

SECONDS = 30
SPANS_PER_S = 500
_CONNECTIONS = 3
SETTLE_S = 25  # a start is no rest: every rule looks once
IDLE_S = 20
PROBE_S = 0.05


def _body(chance: random.Random, spans: int) -> tuple[bytes, str]:
    request = ExportTraceServiceRequest()
    made = request.resource_spans.add().scope_spans.add().spans
    trace = chance.randbytes(16)
    for number in range(spans):
        span = made.add(trace_id=trace, span_id=chance.randbytes(8), name="chat claude-opus-5-5")
        span.start_time_unix_nano = time.time_ns()
        span.end_time_unix_nano = span.start_time_unix_nano + 10**9
        for key, value in (("gen_ai.operation.name", "chat"), ("gen_ai.request.model", "claude-opus-5-5"),
                           ("gen_ai.response.id", f"msg_{number}_{trace.hex()}"), ("user.id", "x" * 600)):  # fmt: skip
            span.attributes.append(KeyValue(key=key, value=AnyValue(string_value=value)))
        for key in ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"):
            span.attributes.append(KeyValue(key=key, value=AnyValue(int_value=chance.randrange(1_000))))
    return request.SerializeToString(), trace.hex()


def _is_listed(connection: http.client.HTTPConnection, run_id: str) -> bool:
    connection.request("GET", f"/api/v1/runs/{urllib.parse.quote(run_id)}")
    answer = connection.getresponse()
    answer.read()
    return answer.status == 200


def _watch(url: str, acknowledged: dict[str, float], waits: list[float], stopping: threading.Event) -> None:
    """Asks for one acknowledged run after the other until it is there."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    while not stopping.is_set():
        newest = next(reversed(acknowledged.items()), None)
        if newest is None:
            time.sleep(PROBE_S)
            continue
        run_id, since = newest
        while not _is_listed(connection, run_id):
            time.sleep(PROBE_S)
        waits.append(time.monotonic() - since)


def _send(url: str, seed: int) -> tuple[list[float], list[float], int]:
    chance = random.Random(seed)  # another for each sending: runs of the same ids would be listed already
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    acknowledged: dict[str, float] = {}
    acknowledgements: list[float] = []
    waits: list[float] = []
    stopping = threading.Event()
    watcher = threading.Thread(target=_watch, args=(url, acknowledged, waits, stopping), daemon=True)
    watcher.start()
    sent, started = 0, time.monotonic()
    while time.monotonic() - started < SECONDS:
        spans = chance.randrange(1, 21)
        body, run_id = _body(chance, spans)
        before = time.monotonic()
        connection.request("POST", "/v1/traces", body, {"content-type": "application/x-protobuf"})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200, answer.status
        after = time.monotonic()
        acknowledgements.append(after - before)
        acknowledged[run_id] = after
        sent += spans
        time.sleep(max(0.0, started + sent / SPANS_PER_S - time.monotonic()))
    stopping.set()
    watcher.join()
    return acknowledgements, waits, sent


def _line(name: str, seconds: list[float]) -> str:
    cuts = statistics.quantiles(seconds, n=100)
    shown = "   ".join(f"p{cut} {cuts[cut - 1] * 1e3:7.1f}" for cut in (50, 95, 99))
    return f"{name:14} {shown} ms   ({len(seconds)} times)"


def main(argv: list[str] | None = None) -> None:
    """Runs the benchmark and prints its tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--load", type=int, nargs="*", default=[RATES[0] // 2])
    loads_per_s: list[int] = parser.parse_args(argv or []).load
    bodies_of = {load_per_s: copies(template(), (SECONDS + 5) * load_per_s // SPANS) for load_per_s in loads_per_s}
    with tempfile.TemporaryDirectory() as folder, collector(Path(folder)) as running:
        pid = running.process.pid
        wait_for(lambda: cpu_seconds(pid) > 0, "it has started")
        time.sleep(SETTLE_S)
        before = cpu_seconds(pid)
        time.sleep(IDLE_S)
        print(f"idle           {(cpu_seconds(pid) - before) / IDLE_S:.1%} of a core, {resident_mb(pid):.0f} MB")
        _measure(running.url, pid, 1)
        for seed, (load_per_s, bodies) in enumerate(bodies_of.items(), start=2):
            senders = [Sender(running.url, bodies, i, _CONNECTIONS, load_per_s) for i in range(_CONNECTIONS)]
            for sender in senders:
                sender.start()
            time.sleep(2)
            print(f"beside {load_per_s:,} spans/s in requests of {SPANS}:")
            _measure(running.url, pid, seed)
            for sender in senders:
                sender.stopping.set()


def _measure(url: str, pid: int, seed: int) -> None:
    before = cpu_seconds(pid)
    acknowledgements, waits, sent = _send(url, seed)
    used = cpu_seconds(pid) - before
    print(f"offered        {sent / SECONDS:.0f} spans/s in requests of 1 to 20; {used / SECONDS:.0%} of a core")
    print(_line("acknowledged", acknowledgements))
    print(_line("listed as run", waits))


if __name__ == "__main__":
    main(sys.argv[1:])
