"""Real `loopwatch` processes for the tests: started on ports the system gives, stopped by their pid."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeVar

from tests.forked import Forked, fork
from tests.migrated_store import migrated_store

DEADLINE_S = 90
Found = TypeVar("Found")
ALL_TIME = {"from": "2000-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z"}


@dataclass(frozen=True)
class Running:
    """A process that listens."""

    process: Forked | subprocess.Popen[bytes]
    url: str
    log: Path

    def stop(self) -> int:
        """Ends it as an operator would, and returns its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(DEADLINE_S)


def wait_for(look: Callable[[], Found | None], what: str, deadline_s: float = DEADLINE_S) -> Found:
    """Looks until there is something to see; fails with what was awaited when the deadline passes."""
    end = time.monotonic() + deadline_s
    while (found := look()) is None or found is False:
        if time.monotonic() > end:
            raise AssertionError(f"not within {deadline_s:.0f} s: {what}")
        time.sleep(0.05)
    return found


def loopwatch(
    *words: str, env: dict[str, str] | None = None, timeout: float = DEADLINE_S
) -> subprocess.CompletedProcess[str]:
    """Runs one `loopwatch` command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "loopwatch.cli", *words],
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def _start(words: list[str], env: dict[str, str], output: IO[str]) -> Forked | subprocess.Popen[bytes]:
    """Forked in a run of tests, which starts some hundred; a benchmark starts what users do."""
    if "PYTEST_VERSION" in os.environ:
        return fork(words, env, output.fileno(), output.fileno())
    return subprocess.Popen(
        [sys.executable, "-m", "loopwatch.cli", *words], stdout=output, stderr=subprocess.STDOUT, env=env
    )


@contextmanager
def running(words: Sequence[str], folder: Path, env: dict[str, str] | None = None) -> Iterator[Running]:
    """A `loopwatch` subcommand that listens; ended, and its log shown when it did not start, on the way out."""
    folder.mkdir(parents=True, exist_ok=True)
    ready_file, log = folder / f"{words[0]}-ready.json", folder / f"{words[0]}.log"
    ready_file.unlink(missing_ok=True)
    with log.open("w") as output:
        process = _start([*words, "--ready-file", str(ready_file)], {**os.environ, **(env or {})}, output)
    try:
        wait_for(lambda: ready_file.exists() or process.poll() is not None, f"loopwatch {words[0]} listens")
        assert process.poll() is None, log.read_text()
        yield Running(process, json.loads(ready_file.read_text())["url"], log)
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(DEADLINE_S)


def collector(folder: Path, **env: str) -> Any:
    """A collector on an embedded store in `folder`, without keys unless `env` names them.

    Where there is no store yet, and `env` names none, it gets an empty one with its tables made.
    """
    data = folder / "data"
    if not (data / "store").exists() and "LOOPWATCH_DSN" not in env:
        migrated_store(data / "store")
    words = ["serve", "--port", "0", "--data-dir", str(data)]
    return running(words, folder, {"LOOPWATCH_KEYS": "", **env})


def bare_collector(folder: Path, **env: str) -> Any:
    """A collector without alert rules: at each arrival the delivered ones ask more than most tests do."""
    return collector(folder, LOOPWATCH_RULES=str(no_rules(folder)), **env)


def no_rules(folder: Path) -> Path:
    """A rules file in `folder` that leaves the delivered rules out."""
    folder.mkdir(parents=True, exist_ok=True)
    rules = folder / "no-rules.toml"
    rules.write_text("delivered = false\n")
    return rules


def dashboards(folder: Path, endpoint: str, **env: str) -> Any:
    """Dashboards over the collector at `endpoint`."""
    return running(["dashboards", "--port", "0", "--collector", endpoint], folder, {"LOOPWATCH_API_KEY": "", **env})


def get(url: str, headers: dict[str, str] | None = None, **params: Any) -> dict[str, Any]:
    """One JSON answer of the API."""
    query = urllib.parse.urlencode(params, doseq=True)
    request = urllib.request.Request(f"{url}?{query}" if query else url, headers=headers or {})
    with urllib.request.urlopen(request, timeout=60) as reply:
        answer: dict[str, Any] = json.load(reply)
        return answer


def query(endpoint: str, name: str, **params: Any) -> list[dict[str, Any]]:
    """The rows of one named query over all time, each a dict by column."""
    answer = get(f"{endpoint}/api/v1/queries/{name}", **{**ALL_TIME, **params})
    columns = [column["name"] for column in answer["columns"]]
    return [dict(zip(columns, row, strict=True)) for row in answer["rows"]]


def wait_for_runs(endpoint: str, runs: int) -> dict[str, Any]:
    """Waits until exactly `runs` runs are stored, and returns their summary."""
    return wait_for(
        lambda: next((row for row in query(endpoint, "runs_summary") if row["runs"] == runs), None),
        f"{runs} runs stored",
    )


def wait_until_stored(endpoint: str) -> None:
    """Waits until nothing that was accepted is still on its way to the store."""

    def is_stored() -> bool:
        try:
            return get(f"{endpoint}/api/v1/system")["journal"]["records"] == 0
        except urllib.error.HTTPError as fault:
            if fault.code != 503:
                raise
            return False  # busy with storing it

    wait_for(is_stored, "everything accepted is stored", 300)
