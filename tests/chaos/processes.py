"""A collector and a sender that a trial starts, kills and starts again."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.chaos.load import recent_midnight_ns
from tests.chaos.sender import Plan
from tests.processes import DEADLINE_S, wait_for

_LOOPWATCH = ("-m", "loopwatch.cli")


class Victim:
    """A process of one command line that may be started again after it was killed.

    Args:
        words: the arguments after the Python interpreter.
        log: what all its lives write.
        env: added to this process's environment.
    """

    def __init__(self, words: list[str], log: Path, env: dict[str, str] | None = None) -> None:
        self._words = words
        self._env = {**os.environ, **(env or {})}
        self.log = log
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Begins a new life."""
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, *self._words], stdout=output, stderr=subprocess.STDOUT, env=self._env
            )

    @property
    def process_id(self) -> int:
        """Of its present life."""
        if self.process is None:
            raise AssertionError("it was never started")
        return self.process.pid

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal if it lives."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL, and waits until the system has buried it."""
        self.signal(signal.SIGKILL)
        self.wait()

    def wait(self, deadline_s: float = DEADLINE_S) -> int:
        """Waits for its end and returns its exit status."""
        return 0 if self.process is None else self.process.wait(deadline_s)


class Collector(Victim):
    """`loopwatch serve` on a data directory of its own.

    Args:
        folder: holds its data, log and ready file.
        launcher: the interpreter's arguments that stand for `loopwatch`.
        env: settings; the data directory can be elsewhere.
    """

    def __init__(self, folder: Path, launcher: Sequence[str] = _LOOPWATCH, **env: str) -> None:
        self.ready_file = folder / "ready.json"
        self.data_dir = Path(env.get("LOOPWATCH_DATA_DIR", folder / "data"))
        self.dsn = env.get("LOOPWATCH_DSN", f"chdb://{self.data_dir}/store")
        words = [*launcher, "serve", "--port", "0", "--ready-file", str(self.ready_file)]
        settings = {"LOOPWATCH_KEYS": "", "LOOPWATCH_DATA_DIR": str(self.data_dir), **env}
        super().__init__(words, folder / "collector.log", settings)

    def start(self) -> None:
        """Begins a new life; its address is known when `await_ready` returns."""
        self.ready_file.unlink(missing_ok=True)
        super().start()

    def await_ready(self) -> str:
        """Waits until it listens and returns its URL."""
        wait_for(self._is_ready_or_dead, "the collector listens")
        if not self.ready_file.exists():
            raise AssertionError(f"the collector did not start:\n{self.log.read_text()[-3000:]}")
        return str(json.loads(self.ready_file.read_text())["url"])

    def _is_ready_or_dead(self) -> bool:
        return self.ready_file.exists() or self.process is None or self.process.poll() is not None

    def stop(self) -> int:
        """SIGTERM, as an operator would; returns the exit status."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def await_written(self, patience_s: float = DEADLINE_S) -> None:
        """Waits until nothing waits in the journal any more; fails when it stops getting less."""
        url = self.await_ready()
        fewest = float("inf")

        def is_less() -> float | None:
            waiting = metric(url, "loopwatch_journal_records")
            return waiting if waiting is not None and (waiting == 0 or waiting < fewest) else None

        while fewest > 0:
            fewest = wait_for(is_less, f"the journal of {fewest:.0f} records gets shorter", patience_s)


def metric(url: str, name: str) -> float | None:
    """One number of `/metrics`; None while the collector does not answer."""
    try:
        with urllib.request.urlopen(f"{url}/metrics", timeout=5) as reply:
            lines = reply.read().decode().splitlines()
    except (OSError, urllib.error.URLError):
        return None
    return next((float(line.split()[1]) for line in lines if line.startswith(f"{name} ")), None)


class Trial:
    """A collector, a sender for it, and what the sender noted.

    Args:
        folder: an empty directory.
        seed: of the load.
        pause_s: between two batches of one of the sender's threads.
        timeout_s: how long the sender waits for an answer.
        launcher: the interpreter's arguments that stand for `loopwatch`.
        env: the collector's settings.
    """

    def __init__(
        self,
        folder: Path,
        seed: int,
        *,
        pause_s: float = 0.0,
        timeout_s: float = 10.0,
        launcher: Sequence[str] = _LOOPWATCH,
        **env: str,
    ) -> None:
        self.collector = Collector(folder, launcher, **env)
        self.plan = Plan(
            str(folder),
            str(self.collector.ready_file),
            seed,
            recent_midnight_ns(time.time_ns()),
            pause_s=pause_s,
            timeout_s=timeout_s,
        )
        self.sender = Victim(["-m", "tests.chaos.sender", str(self.plan.write())], folder / "sender.log")

    def await_acknowledged(self, more: int) -> None:
        """Waits until so many more batches were acknowledged than now."""
        wanted = len(self.plan.acknowledged()) + more
        wait_for(lambda: len(self.plan.acknowledged()) >= wanted, f"{more} more batches are acknowledged")

    def finish_sending(self) -> None:
        """Lets the sender finish the batches it has begun; fails if it met a wrong answer."""
        self.plan.stop_file.touch()
        if self.sender.wait() != 0:
            raise AssertionError(f"the sender failed:\n{self.sender.log.read_text()[-3000:]}")

    def finish(self) -> None:
        """Ends the load, lets the collector write everything, and stops it in order."""
        self.finish_sending()
        self.collector.await_written()
        if (status := self.collector.stop()) != 0:
            raise AssertionError(f"the collector ended with {status}:\n{self.collector.log.read_text()[-3000:]}")


@contextmanager
def trial(folder: Path, seed: int, **options: Any) -> Generator[Trial]:
    """A trial with both processes under way; what still lives at the end is killed. See Trial for the options."""
    folder.mkdir(parents=True, exist_ok=True)
    made = Trial(folder, seed, **options)
    try:
        made.collector.start()
        made.collector.await_ready()
        made.sender.start()
        yield made
    finally:
        made.sender.kill()
        made.collector.kill()
