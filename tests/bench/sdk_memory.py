"""Memory over 1,000,000 spans with a collector, and over 200,000 without one."""

import os
import subprocess
import sys
import tempfile

from tests.bench.sdk_children import sink

CODE = """
import sys, resource, loopwatch
loopwatch.configure(service_name="m", endpoint=sys.argv[1], capture=True)

@loopwatch.tool
def look(number):
    return {"rows": ["x" * 200, number]}

@loopwatch.agent
def work(calls):
    for number in range(calls):
        look(number)

def resident_mb():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 1e6

total, marks = int(sys.argv[2]), []
for part in range(10):
    for _ in range(total // 10 // 1000):
        work(999)
        loopwatch.flush(30)
    marks.append(round(resident_mb()))
print(marks)
"""


def main() -> None:
    """Prints the resident memory after each tenth."""
    for mode, total in (("answers", 1_000_000), ("down", 200_000)):
        with sink(mode) as url, tempfile.TemporaryDirectory() as spool:
            env = {**os.environ, "LOOPWATCH_SPOOL_DIR": spool, "LOOPWATCH_MAX_SPOOL_BYTES": "20000000"}
            command = [sys.executable, "-c", CODE, url, str(total)]
            out = subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout
        print(f"collector {mode}, {total:,} spans: MB resident after each tenth: {out.strip()}")


if __name__ == "__main__":
    main()
