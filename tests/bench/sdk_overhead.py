"""What recording costs the agent, beside plain OpenTelemetry by hand: CPU, import, exits, latency, bursts.

Every figure comes from processes of their own, the variants interleaved, medians over the rounds.
"""

import importlib.metadata
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import timeit
from collections.abc import Iterator
from contextlib import contextmanager

from tests.bench.sdk_workload import QUESTION, SPANS_BY_HAND, rows

ROUNDS = 5
RUNS = 150
VARIANTS = ("bare", "by hand", "capture on", "capture off", "capture on, redaction on")
OURS = VARIANTS[2:]


@contextmanager
def sink(mode: str = "answers") -> Iterator[str]:
    """A collector that answers, that is down, or that accepts connections and never answers."""
    if mode == "answers":
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.sdk_sink"], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
        )
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.kill()
            process.wait()
        return
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        if mode == "hangs":
            listener.listen(128)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def child(*words: object, spool: str) -> dict[str, float]:
    """Runs one measurement in a process of its own."""
    env = {**os.environ, "LOOPWATCH_SPOOL_DIR": spool, "PYTHONHASHSEED": "0", "LOOPWATCH_BREAKER_POLL_S": "0"}
    command = [sys.executable, "-W", "ignore", "-m", "tests.bench.sdk_workload", *map(str, words)]
    out = subprocess.run(command, env=env, capture_output=True, text=True, check=True, timeout=120).stdout
    return json.loads(out.splitlines()[-1])


def cpu(spool: str) -> None:
    """The table of CPU per run."""
    taken: dict[str, list[dict[str, float]]] = {variant: [] for variant in VARIANTS}
    with sink() as url:
        for _ in range(ROUNDS):
            for variant in VARIANTS:
                taken[variant].append(child("cpu", variant, RUNS, url, spool=spool))
    middle = {
        variant: {key: statistics.median(one[key] for one in taken[variant]) for key in ("caller_us", "all_us")}
        for variant in VARIANTS
    }
    bare = middle["bare"]["caller_us"]
    hand = {key: value - bare for key, value in middle["by hand"].items()}
    print(f"CPU of one run (by hand {SPANS_BY_HAND} spans), gzip on, the work itself ({bare:.0f} µs) subtracted")
    print(f"{'':26}{'caller µs':>10}{'× by hand':>11}{'all µs':>10}{'× by hand':>11}")
    for variant in VARIANTS[1:]:
        caller, everyone = (middle[variant][key] - bare for key in ("caller_us", "all_us"))
        print(
            f"{variant:26}{caller:10.0f}{caller / hand['caller_us']:11.2f}"
            f"{everyone:10.0f}{everyone / hand['all_us']:11.2f}"
        )
    a_span = [f"{hand[key] / SPANS_BY_HAND:.1f}" for key in ("caller_us", "all_us")]
    print(f"by hand: {a_span[0]} µs of the caller's CPU a span, {a_span[1]} in all threads")


def redaction() -> None:
    """What redaction takes per KB of text."""
    from loopwatch.redaction import Redactor

    redact = Redactor().redact
    for name, text in (("prose", QUESTION), ("JSON rows", json.dumps(rows(3)))):
        seconds = min(timeit.repeat(lambda text=text: redact(text), number=200, repeat=5)) / 200
        print(f"redaction, {name}: {seconds * 1e6 / len(text.encode()) * 1024:.0f} µs/KB")


def small_things() -> None:
    """An unconfigured call, imports, packages."""
    import loopwatch

    def plain(value: int) -> int:
        return value

    recorded = loopwatch.tool(plain)
    bare = min(timeit.repeat(lambda: plain(1), number=100_000, repeat=5)) / 100_000
    ours = min(timeit.repeat(lambda: recorded(1), number=100_000, repeat=5)) / 100_000
    print(f"a decorated call, never configured: {(ours - bare) * 1e6:.2f} µs")
    base = "import opentelemetry.sdk.trace.export, opentelemetry.exporter.otlp.proto.http.trace_exporter"
    taken: dict[str, list[float]] = {base: [], "import loopwatch": []}
    for _ in range(9):
        for code in taken:
            script = f"import time; t = time.process_time(); {code}; print(time.process_time() - t)"
            out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
            taken[code].append(float(out))
    theirs, mine = (statistics.median(values) for values in taken.values())
    print(f"import: {mine * 1000:.0f} ms, OpenTelemetry SDK and exporter {theirs * 1000:.0f} ms: × {mine / theirs:.2f}")
    print(f"base install: {len(_closure('loopwatch'))} packages")


def _closure(package: str, seen: set[str] | None = None) -> set[str]:
    """A distribution and all it requires without extras."""
    seen = set() if seen is None else seen
    name = re.sub(r"[-_.]+", "-", package).lower()
    if name in seen:
        return seen
    try:
        required = importlib.metadata.requires(name) or []
    except importlib.metadata.PackageNotFoundError:
        return seen
    seen.add(name)
    for one in required:
        if "extra ==" not in one:
            _closure(re.split(r"[ ;<>=!~\[(]", one, maxsplit=1)[0], seen)
    return seen


def latency(spool: str) -> None:
    """What a recorded span adds to a call, and how long the exit takes."""
    print(f"{'added per span, ms':38}{'p50':>8}{'p99':>8}{'p99.9':>8}{'exit s':>9}")
    for mode in ("answers", "down", "hangs"):
        for variant in ("by hand", "capture on"):
            with sink(mode) as url, tempfile.TemporaryDirectory() as own:
                found = child("latency", variant, 1500, url, spool=own)
            label = f"collector {mode}, {variant}"
            print(
                f"{label:38}{found['p50_ms']:8.3f}{found['p99_ms']:8.3f}{found['p999_ms']:8.3f}{found['exit_s']:9.2f}"
            )


def burst(spool: str) -> None:
    """20,000 spans as fast as they can be made."""
    code = (
        "import sys, loopwatch; from loopwatch import process\n"
        "loopwatch.configure(service_name='b', endpoint=sys.argv[1])\n"
        "@loopwatch.tool\ndef look(n): return n\n"
        "for n in range(20_000): look(n)\n"
        "drops = process.active.outlet.drops.counts(); print(loopwatch.flush(30), drops)"
    )
    with sink() as url, tempfile.TemporaryDirectory() as own:
        env = {**os.environ, "LOOPWATCH_SPOOL_DIR": own}
        out = subprocess.run([sys.executable, "-c", code, url], env=env, capture_output=True, text=True, check=True)
    print(f"burst of 20,000 spans: flushed and dropped: {out.stdout.strip()}")


def main() -> None:
    """Prints every table."""
    spool = tempfile.mkdtemp()
    try:
        cpu(spool)
        redaction()
        small_things()
        burst(spool)
        latency(spool)
    finally:
        shutil.rmtree(spool)


if __name__ == "__main__":
    main()
