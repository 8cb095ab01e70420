"""Two minutes of as much as the machine can send, far above what can be written: memory, refusals, recovery.

python -m tests.bench.ingest_overload [--seconds 120] [--senders 16]

The bodies are sent again and again, under ids that are known by then: they cost what new ones cost to receive, keep
and write, and the senders next to nothing. The collector gets one core and the senders another, so that they can
offer several times what it can write.
"""

import argparse
import http.client
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

from tests.bench.ingest_bodies import SPANS, copies, template
from tests.bench.ingest_throughput import metrics_of, resident_mb
from tests.processes import collector, wait_for

_HEADERS = {"content-type": "application/x-protobuf", "content-encoding": "gzip"}
_BODIES = 24
_JOURNAL_BYTES = 256 * 2**20


def _flood(url: str, seconds: float, senders: int) -> None:
    """The sending process: as many requests as it can, refused ones not paced at all."""
    bodies = copies(template(), _BODIES)
    answers: Counter[int] = Counter()
    end = time.monotonic() + seconds
    threads = [threading.Thread(target=_send, args=(url, bodies, end, answers)) for _ in range(senders)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.stdout.write(f"{answers[200]} {answers[503]} {sum(answers.values())}\n")


def _send(url: str, bodies: list[bytes], end: float, answers: Counter[int]) -> None:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    number = 0
    while time.monotonic() < end:
        connection.request("POST", "/v1/traces", bodies[number % len(bodies)], _HEADERS)
        reply = connection.getresponse()
        reply.read()
        answers[reply.status] += 1
        number += 1
    connection.close()


def _two_cores() -> tuple[set[int], set[int]]:
    cores = sorted(os.sched_getaffinity(0))
    return {cores[0]}, {cores[-1]}


def _measure(seconds: float, senders: int) -> None:
    of_collector, of_senders = _two_cores()
    os.sched_setaffinity(0, of_collector)  # the processes started from here inherit it
    with (
        tempfile.TemporaryDirectory() as folder,
        collector(Path(folder), LOOPWATCH_MAX_JOURNAL_BYTES=str(_JOURNAL_BYTES)) as running,
    ):
        os.sched_setaffinity(0, of_senders)
        idle_mb = resident_mb(running.process.pid)
        words = ["-m", "tests.bench.ingest_overload", "--flood", running.url]
        options = ["--seconds", str(seconds), "--senders", str(senders)]
        flood = subprocess.Popen([sys.executable, *words, *options], stdout=subprocess.PIPE, text=True)
        highest_mb = idle_mb
        while flood.poll() is None:
            highest_mb = max(highest_mb, resident_mb(running.process.pid))
            time.sleep(0.2)
        taken, refused, sent = (int(number) for number in (flood.communicate()[0]).split())
        stopped = time.monotonic()
        written = metrics_of(running.url)["loopwatch_written_spans_total"]
        wait_for(lambda: metrics_of(running.url)["loopwatch_journal_records"] == 0, "it catches up", 600)
        rows = {
            "offered, spans/s": sent * SPANS / seconds,
            "taken, spans/s": taken * SPANS / seconds,
            "refused with 503, spans/s": refused * SPANS / seconds,
            "written meanwhile, spans/s": written / seconds,
            "offered per written": sent * SPANS / max(written, 1),
            "memory before, MB": idle_mb,
            "highest memory, MB": highest_mb,
            "caught up after, s": time.monotonic() - stopped,
        }
    for name, value in rows.items():
        sys.stdout.write(f"{name:<28} {value:>12,.1f}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.ingest_overload")
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--senders", type=int, default=16)
    parser.add_argument("--flood", metavar="URL", help=argparse.SUPPRESS)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Measures and prints, or is the sending process."""
    arguments = _parser().parse_args([] if argv is None else argv)
    if arguments.flood:
        _flood(arguments.flood, arguments.seconds, arguments.senders)
    else:
        _measure(arguments.seconds, arguments.senders)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
