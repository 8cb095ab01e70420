"""The demo's child processes: started apart from the terminal, watched, and stopped in order."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

STOP_SECONDS = 30  # the collector writes out what it has acknowledged before it ends


class ChildFailed(Exception):
    """A child ended before it was ready; the message is what it said last."""


class Child:
    """One `loopwatch` subcommand running as a process of its own.

    Args:
        name: what to call it in messages.
        words: the subcommand and its options.
        folder: where its log is written, as `{name}.log`.
        settings: environment variables added to ours.
    """

    def __init__(
        self, name: str, words: Sequence[str], *, folder: Path, settings: dict[str, str] | None = None
    ) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        self._ready_file = Path(tempfile.mkdtemp(prefix="loopwatch-")) / "ready.json"
        self._words = [sys.executable, "-m", "loopwatch.cli", *words]
        self._environment = {**os.environ, "PYTHONUNBUFFERED": "1", **(settings or {})}
        self._process: subprocess.Popen[str] | None = None

    def start(self, *, reports_ready: bool) -> None:
        """Starts the process, in a session of its own so that the terminal's Ctrl-C reaches only us."""
        words = [*self._words, "--ready-file", str(self._ready_file)] if reports_ready else self._words
        with self.log.open("w") as log:
            self._process = subprocess.Popen(  # noqa: S603  # our own command line, no shell
                words, stdout=log, stderr=subprocess.STDOUT, env=self._environment, text=True, start_new_session=True
            )

    def wait_ready(self, timeout_s: float = 90) -> dict[str, Any]:
        """Waits until the process says that it listens.

        Returns:
            What it said: at least its `url`.

        Raises:
            ChildFailed: it ended first, or said nothing in time.
        """
        deadline = time.monotonic() + timeout_s
        while not self._ready_file.exists():
            if self.status() is not None:
                raise ChildFailed(self.last_words())
            if time.monotonic() > deadline:
                raise ChildFailed(f"the {self.name} did not start within {timeout_s:.0f} s; its log is {self.log}")
            time.sleep(0.05)
        ready: dict[str, Any] = json.loads(self._ready_file.read_text())
        return ready

    def status(self) -> int | None:
        """The exit status; None while the process runs or before it was started."""
        return self._process.poll() if self._process else None

    def last_words(self) -> str:
        """The last line of its log: the sentence it ended with."""
        lines = [line for line in self.log.read_text(errors="replace").splitlines() if line.strip()]
        return lines[-1] if lines else f"the {self.name} ended without a word (status {self.status()})"

    def stop(self) -> None:
        """Asks the process to end and waits until it has; kills it only when it does not."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
