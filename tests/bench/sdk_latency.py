"""What recording adds to a tool call or model call while the collector misbehaves; exits; a burst.

Beside plain OpenTelemetry by hand, in processes of their own, interleaved. Each percentile is of the calls of one
process, 15,000 of them, and the median over the rounds is printed: whatever else the machine does falls out.
"""

import os
import statistics
import subprocess
import sys
import tempfile

from tests.bench.sdk_children import child, sink

ROUNDS = 5
RUNS = 500
EXIT_RUNS = 60
MODES = ("answers", "slow", "down", "hangs")
VARIANTS = ("by hand", "capture on")
SHARES = (0.5, 0.99, 0.999)


def percentiles(calls_us: list[float]) -> list[float]:
    """The calls' percentiles, in ms."""
    ordered = sorted(calls_us)
    return [ordered[int(len(ordered) * share)] / 1000 for share in SHARES]


def latency() -> None:
    """The table of what is added to a call: a recorded call less the same call unrecorded, at the median."""
    bare = percentiles(child("calls", "bare", RUNS, ""))[0]
    print(f"{'added to a call, ms':32}" + "".join(f"{f'p{share:.1%}'.rstrip('%'):>10}" for share in SHARES))
    for mode in MODES:
        found: dict[str, list[list[float]]] = {variant: [] for variant in VARIANTS}
        for _ in range(ROUNDS):
            for variant in VARIANTS:
                with sink(mode) as url:
                    found[variant].append(percentiles(child("calls", variant, RUNS, url)))
        for variant in VARIANTS:
            medians = [statistics.median(column) - bare for column in zip(*found[variant], strict=True)]
            print(f"{f'collector {mode}, {variant}':32}" + "".join(f"{taken:10.3f}" for taken in medians))


def exits() -> None:
    """How long the end of the process is held up."""
    for mode in MODES:
        taken = []
        for variant in VARIANTS:
            with sink(mode) as url:
                taken.append(f"{variant} {child('exit', variant, EXIT_RUNS, url):.2f} s")
        print(f"exit, collector {mode}: {', '.join(taken)}")


BURST = """
import sys, loopwatch
from loopwatch import process

loopwatch.configure(service_name="burst", endpoint=sys.argv[1])

@loopwatch.tool
def look(number):
    return number

for number in range(20_000):
    look(number)
drops = process.active.outlet.drops
print(loopwatch.flush(30), drops.counts())
"""


def burst() -> None:
    """20,000 spans as fast as they can be made."""
    with sink() as url, tempfile.TemporaryDirectory() as spool:
        env = {**os.environ, "LOOPWATCH_SPOOL_DIR": spool}
        out = subprocess.run([sys.executable, "-c", BURST, url], env=env, capture_output=True, text=True, check=True)
    print(f"burst of 20,000 spans: flushed and dropped: {out.stdout.strip()}")


def main() -> None:
    """Prints every table."""
    latency()
    exits()
    burst()


if __name__ == "__main__":
    main()
