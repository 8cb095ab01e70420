"""The breaker client against a real HTTP server."""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import loopwatch
from loopwatch import process


@dataclass
class Collector:
    """A collector that holds breakers and counts what it is asked."""

    url: str = ""
    breakers: list[dict[str, Any]] = field(default_factory=list)
    failing: bool = False
    statuses: list[int] = field(default_factory=list)
    keys: set[str | None] = field(default_factory=set)

    def answer(self, etag: str | None) -> tuple[int, str, bytes]:
        """What a GET of the breakers gets."""
        if self.failing:
            return 503, "", b""
        body = json.dumps({"breakers": self.breakers}).encode()
        current = f'"{hash(body)}"'
        return (304, current, b"") if etag == current else (200, current, body)


@pytest.fixture
def collector() -> Iterator[Collector]:
    """Runs it on a port of the system's choice."""
    state = Collector()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            assert self.path == "/api/v1/breakers"
            status, etag, body = state.answer(self.headers.get("if-none-match"))
            state.statuses.append(status)
            state.keys.add(self.headers.get("authorization"))
            self.send_response(status)
            self.send_header("etag", etag)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Says nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

    server = Server(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield state
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def configured(collector: Collector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    """A process that polls it quickly."""
    monkeypatch.setenv("LOOPWATCH_BREAKER_POLL_S", "0.05")
    loopwatch.configure(
        service_name="shop", environment="production", endpoint=collector.url, api_key="k1", spool_dir=tmp_path
    )
    yield collector
    loopwatch.shutdown()


def wait_for(condition: Callable[[], bool]) -> None:
    """Waits until something holds."""
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def known() -> int:
    """How many breakers the process knows."""
    assert process.active is not None
    return len(process.active.breakers._known)


def breaker(action: str = "refuse_new", state: str = "open", **fields: Any) -> dict[str, Any]:
    """A breaker as the contract says."""
    return {
        "name": "b1",
        "state": state,
        "action": action,
        "scope": {"environment": None, "service": None, "agent": None, "version": None, "customer": None},
        "reason": "cost of the last hour",
        "author": "rule 7",
        "until": None,
        "runs_per_minute": None,
        "trial_share": None,
        **fields,
    }


@loopwatch.agent(name="resolver", version="7", customer_id="acme")
def resolve(iterations: int = 0) -> str:
    """An agent, with so many iterations."""
    for _ in loopwatch.iterations(iterations):
        pass
    return "done"


@loopwatch.agent(name="outer")
def outer() -> str:
    """An agent that asks another."""
    return resolve()


def test_open_breaker_refuses_new_runs_with_its_reason(configured: Collector) -> None:
    """@agent raises BreakerOpen(reason, until), and runs again once the breaker is closed."""
    assert resolve() == "done"
    until = "2099-01-01T00:00:00Z"
    configured.breakers = [breaker(until=until)]
    wait_for(lambda: known() == 1)
    with pytest.raises(loopwatch.BreakerOpen, match="cost of the last hour") as refused:
        resolve()
    assert (refused.value.reason, refused.value.until) == ("cost of the last hour", until)
    configured.breakers = []
    wait_for(lambda: known() == 0)
    assert resolve() == "done"
    assert configured.keys == {"Bearer k1"}


@pytest.mark.parametrize(
    ("scope", "refused"),
    [
        ({}, True),
        ({"agent": "resolver"}, True),
        ({"agent": "resolver", "version": "7", "environment": "production", "service": "shop"}, True),
        ({"customer": "acme"}, True),
        ({"customer": "umbrella"}, False),
        ({"agent": "other"}, False),
        ({"version": "8"}, False),
        ({"environment": "staging"}, False),
        ({"service": "billing"}, False),
    ],
)
def test_scope_is_matched_here(configured: Collector, scope: dict[str, str], refused: bool) -> None:
    """Every field that the scope has must be the run's; absent ones match all."""
    configured.breakers = [breaker(scope=scope)]
    wait_for(lambda: known() == 1)
    if refused:
        with pytest.raises(loopwatch.BreakerOpen):
            resolve()
    else:
        assert resolve() == "done"


def test_run_inside_a_run_is_not_refused(configured: Collector) -> None:
    """Running runs finish, with what they start."""
    configured.breakers = [breaker(scope={"agent": "resolver"})]
    wait_for(lambda: known() == 1)
    assert outer() == "done"


def test_stop_running_ends_a_run_at_its_next_iteration(configured: Collector) -> None:
    """A running run meets the breaker at its next iteration, and its outcome is stopped."""
    runs: list[loopwatch.Run] = []

    @loopwatch.agent(name="long")
    def long() -> None:
        for iteration in loopwatch.iterations(1000):
            run = loopwatch.current_run()
            assert run is not None
            runs.append(run)
            if iteration.number == 3:
                configured.breakers = [breaker("stop_running")]
                wait_for(lambda: known() == 1)

    with pytest.raises(loopwatch.BreakerOpen):
        long()
    assert (runs[-1].iterations, runs[-1].outcome) == (3, "stopped")


def test_stop_running_ends_a_run_at_its_next_model_call(configured: Collector) -> None:
    """The same for a run without iterations."""

    @loopwatch.agent
    def agent() -> None:
        configured.breakers = [breaker("stop_running")]
        wait_for(lambda: known() == 1)
        with loopwatch.model_call("m"):
            raise AssertionError("the model must not be called")

    with pytest.raises(loopwatch.BreakerOpen):
        agent()


def test_throttle_spreads_starts(configured: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs start a fixed distance apart, sync and async; the waits are what is looked at."""
    configured.breakers = [breaker("throttle", runs_per_minute=60)]
    wait_for(lambda: known() == 1)
    waits: list[float] = []
    monkeypatch.setattr("loopwatch.wrapping.time.sleep", waits.append)

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr("asyncio.sleep", sleep)

    @loopwatch.agent
    async def answer() -> str:
        return "done"

    assert resolve() == "done"
    assert resolve() == "done"
    assert asyncio.run(answer()) == "done"
    assert [round(wait) for wait in waits] == [1, 2]
    for _ in range(58):
        resolve()
    with pytest.raises(loopwatch.BreakerOpen):
        resolve()


def test_half_open_lets_a_share_through(configured: Collector) -> None:
    """trial_share of the new runs begin."""
    configured.breakers = [breaker(state="half_open", trial_share=0.5)]
    wait_for(lambda: known() == 1)
    begun = 0
    for _ in range(400):
        try:
            resolve()
            begun += 1
        except loopwatch.BreakerOpen:
            pass
    assert 120 < begun < 280


def test_expired_breaker_holds_no_longer(configured: Collector) -> None:
    """`until` is looked at here, also when the collector cannot say that it closed."""
    configured.breakers = [breaker(until="2020-01-01T00:00:00+00:00")]
    wait_for(lambda: known() == 1)
    assert resolve() == "done"


def test_polls_carry_the_etag(configured: Collector) -> None:
    """An unchanged list is answered by 304 and stays known."""
    configured.breakers = [breaker()]
    wait_for(lambda: known() == 1)
    wait_for(lambda: configured.statuses.count(304) >= 3)
    assert known() == 1


@pytest.mark.parametrize("broken", ["503", "no json", "wrong shape"])
def test_collector_that_cannot_be_asked_fails_open(configured: Collector, broken: str) -> None:
    """After a few failed polls what was known is forgotten: agents keep running."""
    configured.breakers = [breaker()]
    wait_for(lambda: known() == 1)
    if broken == "503":
        configured.failing = True
    else:
        answer = b"<html>" if broken == "no json" else b'["breakers"]'
        configured.answer = lambda etag: (200, "", answer)  # type: ignore[method-assign]  # what a proxy might say
    wait_for(lambda: known() == 0)
    assert resolve() == "done"
