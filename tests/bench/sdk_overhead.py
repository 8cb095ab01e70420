"""What recording costs the agent, beside plain OpenTelemetry by hand: CPU, redaction, import, packages.

The CPU comes from processes of their own, the variants interleaved, medians over the rounds.
"""

import importlib.metadata
import json
import re
import statistics
import subprocess
import sys
import timeit

from tests.bench.sdk_children import child, sink
from tests.bench.sdk_workload import QUESTION, SPANS_BY_HAND, rows

ROUNDS = 5
RUNS = 150
VARIANTS = ("bare", "by hand", "capture on", "capture off", "capture on, redaction on")


def cpu() -> None:
    """The table of CPU per run."""
    taken: dict[str, list[dict[str, float]]] = {variant: [] for variant in VARIANTS}
    with sink() as url:
        for _ in range(ROUNDS):
            for variant in VARIANTS:
                taken[variant].append(child("cpu", variant, RUNS, url))
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
    theirs, *ours = import_ms(
        "import opentelemetry.sdk.trace.export, opentelemetry.exporter.otlp.proto.http.trace_exporter",
        "import loopwatch",
        "import loopwatch; loopwatch.agent",
    )
    for what, taken in zip(("import loopwatch", "import loopwatch and use a name of it"), ours, strict=True):
        print(f"{what}: {taken:.0f} ms, OpenTelemetry SDK and exporter {theirs:.0f} ms: × {taken / theirs:.2f}")
    print(f"base install: {len(_closure('loopwatch'))} packages")


def import_ms(*codes: str) -> list[float]:
    """CPU of imports in processes of their own, interleaved, in ms."""
    taken: dict[str, list[float]] = {code: [] for code in codes}
    for _ in range(9):
        for code in codes:
            script = f"import time; t = time.process_time(); {code}; print(time.process_time() - t)"
            out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
            taken[code].append(float(out) * 1000)
    return [statistics.median(values) for values in taken.values()]


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


def main() -> None:
    """Prints every table."""
    cpu()
    redaction()
    small_things()


if __name__ == "__main__":
    main()
