"""The first five minutes of a new user, with real processes and a real browser."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from tests.chromium import find, launch_arguments
from tests.processes import DEADLINE_S, collector, loopwatch, query, wait_for

RUNS = 8


@contextmanager
def _demo(folder: Path, *words: str) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    log = folder / "demo.log"
    command = [sys.executable, "-m", "loopwatch.cli", "demo", "--port", "0", "--dashboards-port", "0"]
    options = ["--data-dir", str(folder / "data"), "--runs", str(RUNS), *words]
    with log.open("w") as output:
        process = subprocess.Popen([*command, *options], stdout=output, stderr=subprocess.STDOUT, text=True)
    try:
        yield process, log
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(DEADLINE_S)


def _url(log: Path, label: str) -> str | None:
    lines = (line.split() for line in log.read_text().splitlines())
    return next((words[1] for words in lines if len(words) == 2 and words[0] == label), None)


def _pids_under(pid: int) -> set[int]:
    children: set[int] = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue  # it ended while we looked
        if parent == pid:
            child = int(stat.parent.name)
            children |= {child} | _pids_under(child)
    return children


def _shown_text(url: str) -> str:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find(), args=launch_arguments())
        page = browser.new_page()
        page.goto(url)
        page.get_by_text("Runs", exact=False).first.wait_for(timeout=60_000)
        page.locator("[data-testid=stVegaLiteChart] svg, [data-testid=stVegaLiteChart] canvas").first.wait_for(
            timeout=60_000
        )
        text = page.inner_text("body")
        browser.close()
        return text


@pytest.mark.browser
def test_demo_is_seen_in_a_browser_and_loses_nothing_on_ctrl_c(tmp_path: Path) -> None:
    """A browser sees the demo's runs; Ctrl-C ends all it started with status 0, and the runs are still there."""
    with _demo(tmp_path) as (process, log):
        wait_for(lambda: _url(log, "OTLP") or process.poll() is not None, "the demo says where to look")
        assert process.poll() is None, log.read_text()
        text = _shown_text(_url(log, "dashboards") or "")
        assert str(RUNS) in text
        assert "incident-resolver" in text or "Overview" in text
        children = _pids_under(process.pid)
        assert len(children) >= 2
        process.send_signal(signal.SIGINT)
        assert process.wait(DEADLINE_S) == 0, log.read_text()
        assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]
    with collector(tmp_path) as receiver:
        (summary,) = query(receiver.url, "runs_summary")
        assert summary["runs"] == RUNS
        assert summary["cost_usd"] > 0


def test_demo_exit_ends_by_itself(tmp_path: Path) -> None:
    """With --exit the demo ends after its runs with status 0 and the URLs as its last lines."""
    with _demo(tmp_path, "--exit") as (process, log):
        assert process.wait(DEADLINE_S * 2) == 0, log.read_text()
        assert _url(log, "dashboards")


def test_port_in_use_is_one_sentence(tmp_path: Path) -> None:
    """A port that is taken ends the demo and the collector with one sentence that names it."""
    with collector(tmp_path) as receiver:
        port = receiver.url.rpartition(":")[2]
        for words in (
            ("demo", "--exit", "--port", port, "--dashboards-port", "0", "--data-dir", str(tmp_path / "other")),
            ("serve", "--port", port, "--data-dir", str(tmp_path / "third")),
        ):
            result = loopwatch(*words)
            assert result.returncode == 1
            assert port in result.stderr
            assert "in use" in result.stderr
            assert len(result.stderr.strip().splitlines()) == 1, result.stderr


def test_data_directory_held_by_another_is_one_sentence(tmp_path: Path) -> None:
    """A data directory that another collector holds is refused with one sentence that names its process."""
    with collector(tmp_path) as receiver:
        for command in (["serve"], ["demo", "--exit", "--dashboards-port", "0"]):
            result = loopwatch(*command, "--port", "0", "--data-dir", str(tmp_path / "data"))
            assert result.returncode == 1
            assert str(receiver.process.pid) in result.stderr
            assert len(result.stderr.strip().splitlines()) == 1, result.stderr


def test_too_little_disk_is_one_sentence(tmp_path: Path) -> None:
    """A disk with less room than the collector asks for is refused with one sentence that says how much is missing."""
    result = loopwatch(
        "serve", "--port", "0", "--data-dir", str(tmp_path), env={"LOOPWATCH_MIN_FREE_BYTES": str(10**18)}
    )
    assert result.returncode == 1
    assert "free" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1, result.stderr


def test_impossible_data_directory_is_one_sentence() -> None:
    """A data directory that cannot be made is one sentence that names it."""
    result = loopwatch("demo", "--exit", "--data-dir", "/proc/loopwatch")
    assert result.returncode == 1
    assert "/proc/loopwatch" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1, result.stderr
