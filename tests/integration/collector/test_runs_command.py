"""`loopwatch runs show` and `loopwatch export` on a real collector, with runs of the SDK."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import ALL_TIME, Running, get, loopwatch, running, wait_for, wait_for_runs

PROGRAM = """
import loopwatch
from opentelemetry import trace

loopwatch.configure(service_name="shop")

@loopwatch.tool
def search(query):
    return "the same"

@loopwatch.agent(name="child")
def child():
    pass

@loopwatch.agent(name="parent")
def parent():
    for _ in loopwatch.iterations(3):
        search("again")
    loopwatch.decide("root_cause", "disk full", confidence=0.85, reasoning="df says so")
    child()
    loopwatch.escalate("nobody may delete", priority="high")

parent()
for run_id in ("a1b2c3d4" + "0" * 24, "a1b2c3d4" + "1" * 24):
    said = {"loopwatch.run.id": run_id, "gen_ai.operation.name": "invoke_agent"}
    trace.get_tracer("another").start_span("invoke_agent twin", attributes=said).end()
assert loopwatch.flush(20)
"""


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("runs")
    words = ["serve", "--port", "0", "--grpc-port", "0", "--data-dir", str(folder / "data")]
    with running(words, folder, {"LOOPWATCH_KEYS": ""}) as started:
        environment = {**os.environ, "LOOPWATCH_ENDPOINT": started.url, "LOOPWATCH_SPOOL_DIR": str(folder / "spool")}
        subprocess.run([sys.executable, "-c", PROGRAM], env=environment, timeout=60, check=True)
        wait_for_runs(started.url, 4)
        yield started


def _command(receiver: Running, *words: str) -> tuple[int, str, str]:
    done = loopwatch(*words, "--endpoint", receiver.url)
    return done.returncode, done.stdout, done.stderr


def _id_of(receiver: Running, agent: str) -> str:
    [run] = get(f"{receiver.url}/api/v1/runs", agent=agent, **ALL_TIME)["runs"]
    return run["run_id"]


def test_collector_says_where_it_takes_grpc(receiver: Running) -> None:
    """`--grpc-port 0` takes any free port, and the line that says where the collector listens names it."""
    line = re.compile(
        rf"^loopwatch collector listening on {receiver.url}, OTLP over gRPC on 127\.0\.0\.1:[1-9]\d+$", re.M
    )
    wait_for(lambda: line.search(receiver.log.read_text()), "the line is printed")


def test_run_shows_what_it_decided_where_it_looped_and_what_it_started(receiver: Running) -> None:
    """Decisions, loops and the escalation stand below the span they happened in, and the runs it started at the end."""
    status, shown, _ = _command(receiver, "runs", "show", _id_of(receiver, "parent"))
    lines = [line.strip() for line in shown.splitlines()]
    assert status == 0
    assert "decided root_cause: disk full  confidence 0.85  df says so" in lines
    assert "escalated  priority high  nobody may delete" in lines
    [loop] = [line for line in lines if line.startswith("loop identical_calls")]
    assert "search" in loop
    below = lines[lines.index("runs it started") :]
    assert _id_of(receiver, "child") in " ".join(below)


def test_beginning_of_an_id_is_enough(receiver: Running) -> None:
    """A prefix that only one run has shows that run; one that none has, or less than four characters, is not found."""
    run_id = _id_of(receiver, "parent")
    assert _command(receiver, "runs", "show", run_id[:8]) == _command(receiver, "runs", "show", run_id)
    for prefix in ("zzzzzzzz", run_id[:3], 'a"b or c'):
        status, shown, told = _command(receiver, "runs", "show", prefix)
        assert (status, shown) == (1, "")
        assert "Traceback" not in told


def test_beginning_that_several_runs_share_is_told(receiver: Running) -> None:
    """Where a prefix fits two runs, both ids are named and neither is shown."""
    status, shown, told = _command(receiver, "runs", "show", "a1b2c3")
    assert (status, shown) == (1, "")
    twins = ["a1b2c3d4" + digit * 24 for digit in "01"]
    assert "2 runs begin with a1b2c3: " in told
    assert [twin in told for twin in twins] == [True, True]


def test_export_says_its_rows_and_what_is_in_the_way(receiver: Running, tmp_path: Path) -> None:
    """The rows of the file are told; a folder that is not there is named."""
    bounds = ["--from", ALL_TIME["from"], "--to", ALL_TIME["to"]]
    file = tmp_path / "runs.parquet"
    status, said, _ = _command(receiver, "export", "runs", *bounds, "--out", str(file))
    assert (status, said.startswith(f"{file}: 4 rows, ")) == (0, True)
    status, _, told = _command(receiver, "export", "runs", *bounds, "--out", str(tmp_path / "nowhere" / "runs.parquet"))
    assert (status, f"there is no folder {tmp_path / 'nowhere'}" in told) == (1, True)
    assert "Errno" not in told
