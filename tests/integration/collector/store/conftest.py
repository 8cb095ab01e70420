"""A real embedded store, rows to put into it, and a small fleet of runs whose numbers were worked out by hand."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from loopwatch_collector.store.rows import NO_SPAN, SPAN_COLUMNS, SPAN_INDEX
from loopwatch_collector.store.store import Store
from tests.migrated_store import migrated_store

SECOND_NS = 1_000_000_000
NOON_NS = 1_790_856_000 * SECOND_NS  # 2026-10-01T12:00:00Z


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty embedded store."""
    opened = Store.open(migrated_store(tmp_path / "store"))
    yield opened
    opened.close()


@pytest.fixture
def span() -> Callable[..., list[Any]]:
    """Makes a span row from the columns that matter to a test."""
    return make_span


@pytest.fixture
def fleet() -> list[list[Any]]:
    """The spans of four runs; see the function."""
    return make_fleet()


@pytest.fixture
def write() -> Callable[[Store, list[list[Any]]], None]:
    """Stores rows as the writer does: insert, then derive the touched runs."""
    return write_rows


def write_rows(store: Store, rows: list[list[Any]]) -> None:
    store.insert_spans(rows)
    project, run_id, start = (SPAN_INDEX[name] for name in ("project", "run_id", "start_time"))
    store.refresh_runs([(row[project], row[run_id], row[start], row[start]) for row in rows])


def make_fleet() -> list[list[Any]]:
    """The spans of four runs; what they add up to is stated in test_queries.py."""
    return [*_completed_run(), *_escalated_run(), *_open_run(), *_failed_run()]


def make_span(number: int, *, at_s: float = 0, **values: Any) -> list[Any]:
    defaults = {
        "trace_id": b"\x01" * 16,
        "span_id": number.to_bytes(8, "big"),
        "start_time": NOON_NS + int(at_s * SECOND_NS),
        "row_version": 1,
        "run_id": "run-1",
        "event_names": [],
        "event_times": [],
        "event_attributes": [],
        "attributes": {},
        "tags": [],
    }
    unknown = set(values) - set(SPAN_INDEX)
    assert not unknown, f"no such column: {unknown}"
    given = {**defaults, **values}
    return [given.get(column.name, column.default) for column in SPAN_COLUMNS]


def _of_run(run_id: str, trace: int, **common: Any) -> Callable[..., list[Any]]:
    shared = {"run_id": run_id, "trace_id": trace.to_bytes(16, "big"), **common}
    return lambda number, **values: make_span(number, **{**shared, **values})


def _model_call(span: Callable[..., list[Any]], number: int, response: str, **values: Any) -> list[Any]:
    return span(
        number,
        kind="model_call",
        response_id=response,
        provider="anthropic",
        duration_ns=SECOND_NS,
        call_rank=2,
        **values,
    )


def _completed_run() -> list[list[Any]]:
    """Two iterations; the first model call is reported by a wrapper as well, with the same response id."""
    span = _of_run("run-completed", 1, agent="resolver", agent_version="12", environment="prod", customer_id="acme")
    root = (11).to_bytes(8, "big")
    first = {
        "model": "opus",
        "input_tokens": 1000,
        "cache_read_tokens": 400,
        "cache_write_5m_tokens": 100,
        "output_tokens": 50,
        "cost_usd": Decimal("0.003"),
        "input_cost_usd": Decimal("0.001"),
        "cache_read_cost_usd": Decimal("0.0002"),
        "cache_write_cost_usd": Decimal("0.0008"),
        "output_cost_usd": Decimal("0.001"),
    }
    second = {"model": "haiku", "input_tokens": 200, "output_tokens": 10, "cost_usd": Decimal("0.0001")}
    return [
        span(11, kind="run", name="invoke_agent resolver", duration_ns=10 * SECOND_NS, iteration_cap=5,
             outcome="completed", parent_span_id=NO_SPAN),
        span(12, at_s=1, kind="iteration", iteration=1, parent_span_id=root),
        span(13, at_s=5, kind="iteration", iteration=2, parent_span_id=root),
        _model_call(span, 14, "a1", at_s=1, iteration=1, parent_span_id=(12).to_bytes(8, "big"), **first),
        [*_replaced(_model_call(span, 15, "a1", at_s=1, iteration=1, **first), call_rank=1)],
        _model_call(span, 16, "a2", at_s=5, iteration=2, **second),
        span(17, at_s=2, kind="tool_call", tool="search", tool_outcome="success", duration_ns=100, iteration=1),
        span(18, at_s=3, kind="tool_call", tool="metrics", tool_outcome="error", tool_retryable=1, duration_ns=300,
             iteration=1, error_type="Timeout", error_message="no answer from 'db-1' after 30 s"),
        span(19, at_s=4, kind="tool_call", tool="metrics", tool_outcome="error", tool_retryable=0, duration_ns=500,
             iteration=1, error_type="Timeout", error_message="no answer from 'db-22' after 5 s"),
    ]  # fmt: skip


def _escalated_run() -> list[list[Any]]:
    """Three iterations, its cap; the exception it ended with gives way to the escalation."""
    span = _of_run("run-escalated", 2, agent="resolver", agent_version="13", environment="prod", customer_id="zeta")
    calls = [
        _model_call(span, 22 + i, f"b{i}", at_s=100 + i, iteration=i + 1, model="opus", input_tokens=100,
                    output_tokens=20, cost_usd=Decimal("0.01"))
        for i in range(3)
    ]  # fmt: skip
    return [
        span(21, at_s=100, kind="run", duration_ns=20 * SECOND_NS, iteration_cap=3, outcome="failed", status="error",
             escalation_reason="no fix found", escalation_priority="high", error_type="GaveUp"),
        *calls,
        span(25, at_s=103, kind="tool_call", tool="search", tool_outcome="not_found", duration_ns=200, iteration=3),
    ]  # fmt: skip


def _open_run() -> list[list[Any]]:
    """Its own span has not come, it numbers no iterations, and its model has no price."""
    span = _of_run("run-open", 3, agent="helper", environment="dev", customer_id="acme")
    root = (30).to_bytes(8, "big")
    called = {"model": "home-made", "parent_span_id": root}
    return [
        _model_call(span, 31, "c1", at_s=200, input_tokens=70, output_tokens=7, **called),
        _model_call(span, 32, "c2", at_s=201, input_tokens=30, output_tokens=3, **called),
    ]


def _failed_run() -> list[list[Any]]:
    """Begins before midnight of the day before and ends after it; no model was called."""
    span = _of_run("run-failed", 4, agent="helper", environment="dev")
    return [
        span(41, at_s=-12 * 3600 - 5, kind="run", duration_ns=30 * SECOND_NS, status="error", error_type="KeyError",
             error_message="'host'"),
        span(42, at_s=-12 * 3600 + 5, kind="tool_call", tool="search", tool_outcome="success", duration_ns=400,
             parent_span_id=(41).to_bytes(8, "big")),
    ]  # fmt: skip


def _replaced(row: list[Any], **values: Any) -> list[Any]:
    return [values.get(column.name, row[i]) for i, column in enumerate(SPAN_COLUMNS)]
