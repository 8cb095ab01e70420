"""Rows for the alerts' benchmarks, stored as the writer does."""

import itertools
import time
from decimal import Decimal
from typing import Any

from loopwatch_collector.store.rows import SPAN_COLUMNS
from loopwatch_collector.store.store import Store

_NUMBERS = itertools.count(1)


def put_call(store: Store, customer: str, cost_usd: float) -> None:
    """Stores one model call, made now."""
    put_calls(store, [customer], cost_usd)


def put_calls(store: Store, customers: list[str], cost_usd: float) -> None:
    """Stores a model call for each customer, made now, as one batch."""
    rows = [_row(customer, cost_usd) for customer in customers]
    if rows:
        store.insert_spans([[row.get(column.name, column.default) for column in SPAN_COLUMNS] for row in rows])
        store.refresh_runs([("default", row["run_id"], row["start_time"], row["start_time"]) for row in rows])


def _row(customer: str, cost_usd: float) -> dict[str, Any]:
    number, now_ns = next(_NUMBERS), time.time_ns()
    return {
        "trace_id": number.to_bytes(16, "big"),
        "span_id": number.to_bytes(8, "big"),
        "start_time": now_ns,
        "duration_ns": 1_000_000_000,
        "row_version": now_ns,
        "kind": "model_call",
        "run_id": f"run-{number}",
        "agent": "resolver",
        "customer_id": customer,
        "model": "claude-sonnet-5-5",
        "provider": "anthropic",
        "input_tokens": 1_000,
        "output_tokens": 100,
        "cost_usd": Decimal(str(cost_usd)),
        "response_id": f"call-{number}",
        "call_rank": 1,
    }
