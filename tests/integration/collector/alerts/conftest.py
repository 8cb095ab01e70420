"""A real embedded store, spans to put into it, an engine over it, and a webhook that listens."""

import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from loopwatch_collector.alerts.engine import AlertEngine
from loopwatch_collector.metrics import Metrics
from loopwatch_collector.store.rows import SPAN_COLUMNS, SPAN_INDEX
from loopwatch_collector.store.store import Store
from tests.migrated_store import migrated_store

_NUMBERS = itertools.count(1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty embedded store."""
    opened = Store.open(migrated_store(tmp_path / "store"))
    yield opened
    opened.close()


def put(store: Store, rows: list[list[Any]]) -> None:
    """Stores rows as the writer does: insert, then derive the touched runs."""
    store.insert_spans(rows)
    project, run_id, start = (SPAN_INDEX[name] for name in ("project", "run_id", "start_time"))
    store.refresh_runs([(row[project], row[run_id], row[start], row[start]) for row in rows])


def span(kind: str, at_ns: int, **values: Any) -> list[Any]:
    """A span row with a number of its own."""
    number = next(_NUMBERS)
    row = {
        "trace_id": number.to_bytes(16, "big"),
        "span_id": number.to_bytes(8, "big"),
        "start_time": at_ns,
        "duration_ns": 1_000_000,
        "row_version": time.time_ns(),
        "kind": kind,
        "run_id": f"run-{number}",
        "agent": "resolver",
        "tags": [],
        "tools_offered": [],
        "content_roles": [],
        "content_hashes": [],
        "event_names": [],
        "event_times": [],
        "event_attributes": [],
        "attributes": {},
        **values,
    }
    return [row.get(column.name, column.default) for column in SPAN_COLUMNS]


def call(at_ns: int, cost_usd: float, customer: str = "acme", **values: Any) -> list[Any]:
    """The span of a model call that cost something."""
    return span(
        "model_call",
        at_ns,
        model="opus",
        provider="anthropic",
        customer_id=customer,
        input_tokens=10,
        output_tokens=5,
        cost_usd=Decimal(str(cost_usd)),
        response_id=f"call-{next(_NUMBERS)}",
        call_rank=1,
        **values,
    )


@pytest.fixture
def spend(store: Store) -> Callable[..., None]:
    """Stores one model call: `spend(cost_usd, customer="acme", ago_s=60)`."""

    def store_call(cost_usd: float, customer: str = "acme", ago_s: float = 60, **values: Any) -> None:
        put(store, [call(time.time_ns() - int(ago_s * 1e9), cost_usd, customer, **values)])

    return store_call


class Hook(ThreadingHTTPServer):
    """A webhook's receiver: keeps what it got, and answers as it is told."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _HookHandler)
        self.received: list[tuple[dict[str, str], bytes]] = []
        self.statuses: list[int] = []

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}/alerts"

    def messages(self) -> list[dict[str, Any]]:
        """What it got, decoded."""
        return [json.loads(body) for _, body in self.received]


class _HookHandler(BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.received.append(({name.lower(): value for name, value in self.headers.items()}, body))
        status = self.server.statuses.pop(0) if self.server.statuses else 200
        self.send_response(status)
        if status in {301, 302, 307}:
            self.send_header("location", "http://127.0.0.1:9/elsewhere")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 the name http.server passes
        pass


@pytest.fixture
def hook() -> Iterator[Hook]:
    """A listening webhook."""
    with Hook() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


RULE = """
[[rule]]
name = "customer-budget-hour"
title = "Dear customer"
description = "Look at the runs."
query = "spend_by"
group_by = "customer"
value = "cost_usd"
window = "1h"
every = "1s"
resolve_after = "0s"
evidence = "spend_top_runs"
severity = "critical"
condition = { kind = "threshold", above = 50 }
"""


def rules_file(path: Path, url: str, rules: str = RULE) -> Path:
    """Writes a rules file with one webhook and one rule, without the delivered ones."""
    channel = f'delivered = false\n[channels.hook]\nwebhook = "{url}"\nsecret = "s3cret"\nallow_private = true\n'
    path.write_text(channel + rules, encoding="utf-8")
    return path


@pytest.fixture
def engines(store: Store) -> Iterator[Callable[..., AlertEngine]]:
    """Starts engines over the store and stops them afterwards."""
    started: list[AlertEngine] = []

    def start(rules_path: Path | None, **options: Any) -> AlertEngine:
        engine = AlertEngine(store, Metrics(), ["default"], rules_path, **options)
        engine.start()
        started.append(engine)
        return engine

    yield start
    for engine in started:
        engine.stop(10)


@pytest.fixture
def eventually() -> Callable[..., Any]:
    """Waits until a function returns something true, and returns it; fails after a deadline."""

    def wait(probe: Callable[[], Any], deadline_s: float = 20) -> Any:
        end = time.monotonic() + deadline_s
        while True:
            found = probe()
            if found:
                return found
            assert time.monotonic() < end, f"nothing came within {deadline_s} s"
            time.sleep(0.02)

    return wait


@pytest.fixture(name="rules_file")
def _rules_file() -> Callable[..., Path]:
    """Writes a rules file; see the function."""
    return rules_file


@pytest.fixture(name="span")
def _span() -> Callable[..., list[Any]]:
    """Makes a span row; see the function."""
    return span


@pytest.fixture(name="call")
def _call() -> Callable[..., list[Any]]:
    """Makes the row of a model call; see the function."""
    return call


@pytest.fixture(name="put")
def _put() -> Callable[[Store, list[list[Any]]], None]:
    """Stores rows; see the function."""
    return put


@pytest.fixture
def rules(tmp_path, hook, rules_file):
    """The file with the rule on dear customers, told to `hook`."""
    return rules_file(tmp_path / "rules.toml", hook.url)
