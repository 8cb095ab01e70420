"""Spans arrive whatever happens to the collector and to the agent's process."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from loopwatch.transport import back_off_s
from tests.sdk_agents import WORK
from tests.sdk_sink import running_sink

FAR_FROM_STUCK_S = 5  # the exit time itself is measured by the benchmark

PREAMBLE = """
import os, sys, time
import loopwatch
loopwatch.configure(service_name="agent", endpoint=sys.argv[1], spool_dir=sys.argv[2])
"""


def start(code: str, endpoint: str, spool: Path, **env: str) -> subprocess.Popen[str]:
    """Starts a process that runs the preamble and then the code."""
    return subprocess.Popen(
        [sys.executable, "-c", PREAMBLE + WORK + code, endpoint, str(spool)],
        env={**os.environ, **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(code: str, endpoint: str, spool: Path, **env: str) -> str:
    """Runs such a process to its end and returns what it printed."""
    process = start(code, endpoint, spool, **env)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return out


def exit_s(process: subprocess.Popen[str]) -> float:
    """Waits for a process that prints the time when its work is done; returns how long its exit took then."""
    out, err = process.communicate(timeout=60)
    ended = time.time()
    assert process.returncode == 0, err
    return ended - float(out)


@pytest.fixture
def dead_url() -> str:
    """An address at which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


def port_of(url: str) -> int:
    """The port of a base URL."""
    return int(url.rpartition(":")[2])


def assert_whole(spans: list[object], expected: int) -> None:
    """Every span came, once."""
    identities = {(span.trace_id, span.span_id) for span in spans}  # type: ignore[attr-defined]  # ReadableSpans
    assert (len(spans), len(identities)) == (expected, expected)


def test_run_of_10_000_spans_without_collector_is_delivered_once_by_a_later_process(
    dead_url: str, tmp_path: Path
) -> None:
    """With the collector down for a whole run the process exits soon, and the next one delivers everything."""
    assert exit_s(start("work(9_999)\nprint(time.time(), flush=True)", dead_url, tmp_path)) < FAR_FROM_STUCK_S
    with running_sink(port_of(dead_url)) as sink:
        run("assert loopwatch.flush(20)", dead_url, tmp_path)
        assert_whole(sink.wait_for(10_000), 10_000)
    assert list(tmp_path.rglob("*.otlp")) == []


STARVED = """
import threading
from loopwatch import encoding, exporting
exporting.EXIT_S = 0.0
encode = encoding.Encoder.encode
def late(self, *given):
    if threading.current_thread() is not threading.main_thread():
        time.sleep(0.5)
    return encode(self, *given)
encoding.Encoder.encode = late
work(1_999)
"""


def test_spans_in_the_hands_of_a_starved_thread_are_waited_for_at_exit(dead_url: str, tmp_path: Path) -> None:
    """A thread that gets no CPU until after the exit's time keeps no batch: each of 2,000 spans is on disk."""
    run(STARVED, dead_url, tmp_path)
    with running_sink(port_of(dead_url)) as sink:
        run("assert loopwatch.flush(20)", dead_url, tmp_path)
        assert_whole(sink.wait_for(2_000), 2_000)


def test_spool_can_be_read_by_its_owner_only(dead_url: str, tmp_path: Path) -> None:
    """Content at rest is private: directories 0700, files 0600."""
    run("work(3)", dead_url, tmp_path)
    files = list(tmp_path.rglob("*.otlp"))
    assert len(files) == 1
    assert [path.stat().st_mode & 0o777 for path in (files[0], files[0].parent)] == [0o600, 0o700]


@pytest.mark.parametrize("delay_s", [0.0, 20.0], ids=["collector down", "collector hangs"])
def test_spans_finished_a_second_before_kill_arrive(dead_url: str, tmp_path: Path, delay_s: float) -> None:
    """SIGKILL a second after the spans ended loses none of them."""
    if delay_s:
        with running_sink() as hanging:
            hanging.delay_s = delay_s
            process = start("work(99)\nprint('done', flush=True)\ntime.sleep(60)", hanging.url, tmp_path)
            _kill_a_second_after_done(process)
            url = hanging.url
    else:
        url = dead_url
        process = start("work(99)\nprint('done', flush=True)\ntime.sleep(60)", url, tmp_path)
        _kill_a_second_after_done(process)
    with running_sink(port_of(url)) as sink:
        run("assert loopwatch.flush(20)", url, tmp_path)
        assert_whole(sink.wait_for(100), 100)


def _kill_a_second_after_done(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    assert process.stdout.readline() == "done\n"
    time.sleep(1.0)  # the promise is about this second
    process.send_signal(signal.SIGKILL)
    process.communicate()


def test_exit_while_collector_hangs_is_not_held_up(tmp_path: Path) -> None:
    """A collector that accepts and never answers does not hold the agent's exit up, and loses nothing."""
    with running_sink() as sink:
        sink.delay_s = 20.0
        assert exit_s(start("work(499)\nprint(time.time(), flush=True)", sink.url, tmp_path)) < FAR_FROM_STUCK_S
        url = sink.url
    with running_sink(port_of(url)) as sink:
        run("assert loopwatch.flush(20)", url, tmp_path)
        assert_whole(sink.wait_for(500), 500)


def test_collector_that_returns_gets_what_waited_from_the_same_process(dead_url: str, tmp_path: Path) -> None:
    """The process that spooled delivers by itself once the collector is back, in order."""
    process = start("work(299)\nprint('done', flush=True)\nsys.stdin.readline()\nwork(9)", dead_url, tmp_path)
    assert process.stdout is not None
    assert process.stdout.readline() == "done\n"
    with running_sink(port_of(dead_url)) as sink:
        spans = sink.wait_for(300)
        assert [span.attributes["loopwatch.seq"] for span in spans[:300]] == list(range(1, 301))
        process.communicate("go\n", timeout=30)
        assert_whole(sink.wait_for(310), 310)


def test_two_processes_share_a_spool_and_send_each_batch_once(dead_url: str, tmp_path: Path) -> None:
    """Processes that start together on a full spool deliver every batch once between them."""
    for _ in range(4):
        run("for _ in range(5):\n    work(99)\n    loopwatch.flush(5)", dead_url, tmp_path)
    with running_sink(port_of(dead_url)) as sink:
        sink.delay_s = 0.01
        together = [start("assert loopwatch.flush(20)", dead_url, tmp_path) for _ in range(3)]
        for process in together:
            _, err = process.communicate(timeout=60)
            assert process.returncode == 0, err
        assert_whole(sink.wait_for(2000), 2000)


def test_burst_of_20_000_spans_loses_none(tmp_path: Path) -> None:
    """Spans ended faster than they can be sent wait; none is dropped."""
    with running_sink() as sink:
        run("work(19_999)", sink.url, tmp_path)
        run("assert loopwatch.flush(20)", sink.url, tmp_path)
        identities = {(span.trace_id, span.span_id) for span in sink.wait_for(20_000)}
        assert len(identities) == 20_000  # a batch whose answer the exit cut off may have come twice
        assert sink.dropped == {}


def test_full_queue_drops_and_tells(tmp_path: Path) -> None:
    """Past the bound on memory spans are dropped, counted by reason, reported as a metric, and leave gaps in seq."""
    with running_sink() as sink:
        run("work(999)\nassert loopwatch.flush(20)", sink.url, tmp_path, LOOPWATCH_MAX_QUEUE_SPANS="100")
        dropped = sink.dropped["queue_full"]
        assert dropped > 0
        assert len(sink.spans) == 1000 - dropped
        numbers = [span.attributes["loopwatch.seq"] for span in sink.spans]
        assert len(set(range(1, 1001)) - set(numbers)) == dropped


def test_full_spool_gives_up_the_oldest_and_tells(dead_url: str, tmp_path: Path) -> None:
    """Past the bound on disk the oldest batches go, and the next process reports how many spans they held."""
    code = "for _ in range(20):\n    work(99)\n    loopwatch.flush(5)"
    run(code, dead_url, tmp_path, LOOPWATCH_MAX_SPOOL_BYTES="20000")
    assert sum(path.stat().st_size for path in tmp_path.rglob("*.otlp")) <= 20_000
    with running_sink(port_of(dead_url)) as sink:
        run("assert loopwatch.flush(20)", dead_url, tmp_path)
        assert sink.dropped["spool_full"] + len(sink.spans) == 2000
        assert sink.dropped["spool_full"] > 0


@pytest.mark.parametrize("status", [401, 404, 408, 429, 500, 502, 503, 504])
def test_answer_that_may_pass_is_tried_again(tmp_path: Path, status: int) -> None:
    """Overload, a fault of the collector's, a wrong key or a proxy's error: the batch is kept and sent later."""
    with running_sink() as sink:
        sink.answers = [status]
        run("work(4)\nloopwatch.flush(5)", sink.url, tmp_path)
        run("work(0)\nassert loopwatch.flush(20)", sink.url, tmp_path)
        assert_whole(sink.wait_for(6), 6)
        assert sink.dropped == {}


@pytest.mark.parametrize("status", [400, 413, 415, 422])
def test_batch_that_is_refused_for_good_is_counted(tmp_path: Path, status: int) -> None:
    """It is not tried again, blocks nothing behind it, and is reported as rejected."""
    with running_sink() as sink:
        sink.answers = [status]
        run("work(4)\nloopwatch.flush(5)\nwork(2)\nassert loopwatch.flush(20)", sink.url, tmp_path)
        assert_whole(sink.wait_for(3), 3)
        assert sink.dropped == {"rejected": 5}


def test_retry_after_is_honoured(tmp_path: Path) -> None:
    """The collector's wish goes before our own pauses, within a bound."""
    assert back_off_s(1, 7.0) >= 7.0
    assert back_off_s(1) <= 0.5
    assert 15 <= back_off_s(30) <= 30
    with running_sink() as sink:
        sink.answers, sink.retry_after = [503], "1"
        run("work(4)\nbegan = time.monotonic()\nassert loopwatch.flush(5)\n", sink.url, tmp_path)
        run("assert loopwatch.flush(20)", sink.url, tmp_path)
        assert_whole(sink.wait_for(5), 5)


def test_disk_that_takes_nothing_is_counted(dead_url: str, tmp_path: Path) -> None:
    """With neither collector nor disk the spans are lost, and the process says so instead of failing."""
    (tmp_path / "file").write_text("")
    out = run(
        "import logging\nwork(4)\nloopwatch.flush(5)\nfrom loopwatch import process\n"
        "print(process.active.outlet.drops.counts())",
        dead_url,
        tmp_path / "file" / "not-a-directory",
    )
    assert out == "{'spool_failed': 5}\n"
