"""The processes the SDK's benchmarks measure in, and the collectors they send to."""

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

SLOW_S = 2.0


@contextmanager
def sink(mode: str = "answers") -> Iterator[str]:
    """A collector that answers, answers slowly, is down, or accepts connections and hangs."""
    if mode in {"answers", "slow"}:
        command = [sys.executable, "-m", "tests.bench.sdk_sink", str(SLOW_S if mode == "slow" else 0)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
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


def child(*words: object) -> Any:
    """Runs one measurement of the workload in a process, and with a spool, of its own."""
    with tempfile.TemporaryDirectory() as spool:
        env = {**os.environ, "LOOPWATCH_SPOOL_DIR": spool, "PYTHONHASHSEED": "0", "LOOPWATCH_BREAKER_POLL_S": "0"}
        command = [sys.executable, "-W", "ignore", "-m", "tests.bench.sdk_workload", *map(str, words)]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=True, timeout=120)
    return json.loads(done.stdout.splitlines()[-1])
