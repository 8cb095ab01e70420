"""`loopwatch serve` under a clock a trial can set back: `python -m tests.chaos.stepping_clock OFFSET_FILE serve ...`.

Only the clock is replaced; everything else is the real process.
"""

import sys
import time
from pathlib import Path

from loopwatch_collector.server import main as serve


def main(argv: list[str]) -> int:
    """Runs the collector; the file holds the seconds its wall clock is off by, and is read at every look."""
    offset_file = Path(argv[0])
    true_ns, true_s = time.time_ns, time.time

    def offset_s() -> float:
        return float(offset_file.read_text())

    time.time_ns = lambda: true_ns() + int(offset_s() * 1e9)
    time.time = lambda: true_s() + offset_s()
    return serve(argv[2:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
