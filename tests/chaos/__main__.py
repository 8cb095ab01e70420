"""Kills, faults and the count afterwards: `python -m tests.chaos [NAME ...]`, all trials when none is named.

Prints one line per trial and ends with 1 when a span was lost or doubled. Runs for about a quarter of an hour; the
short form is tests/integration/collector/test_durability.py.
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.chaos import brimming, faults, kills
from tests.chaos.census import Census

TRIALS: dict[str, Callable[[Path, int], Census]] = {
    "kills": partial(kills.run, kills=200, min_spans=100_000, pause_s=0.03),
    "sigterm": faults.sigterm_under_load,
    "disk_full": faults.disk_full,
    "engine_refuses": faults.engine_refuses,
    "brimming": partial(brimming.run, cycles=300),
    "read_only": faults.read_only_directory,
    "sigstop": partial(faults.stopped_process, seconds=30.0),
    "torn_tail": faults.torn_tail,
    "clock_back": faults.clock_steps_back,
    "corrupt": faults.corrupt_record,
}
# A record that rotted on disk cannot be stored; that it alone is set aside is what its trial checks.
_LOSES_BY_DESIGN = frozenset({"corrupt"})
_COLUMNS = ("trial", "acknowledged", "stored", "lost", "double", "invented", "dead letters", "seconds", "")
_LINE = "{:<15} {:>12} {:>9} {:>6} {:>7} {:>9} {:>13} {:>8}  {}\n"


def main(argv: list[str]) -> int:
    """Runs the named trials, prints their table, and returns 1 when one of them broke the promise."""
    arguments = _parser().parse_args(argv)
    sys.stdout.write(_LINE.format(*_COLUMNS))
    verdicts = [_run(name, arguments.seed) for name in arguments.trials or TRIALS]
    return 0 if all(verdicts) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos", description="Kill, fill, stop and spoil; then count."
    )
    parser.add_argument("trials", nargs="*", choices=[[], *TRIALS], metavar="NAME", help=", ".join(TRIALS))
    parser.add_argument("--seed", type=int, default=1, help="decides sizes, moments and victims (default 1)")
    return parser


def _run(name: str, seed: int) -> bool:
    started = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="loopwatch-chaos-"))
    found = TRIALS[name](folder / name, seed)
    held = found.is_whole or name in _LOSES_BY_DESIGN
    if held:  # else data and logs stay, to be looked at
        shutil.rmtree(folder)
    cells = (found.acknowledged, found.stored, found.lost, found.double, found.invented, found.dead_letters)
    verdict = "held" if held else f"BROKEN, see {folder}: {found}"
    sys.stdout.write(_LINE.format(name, *cells, round(time.monotonic() - started), verdict))
    sys.stdout.flush()
    return held


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
