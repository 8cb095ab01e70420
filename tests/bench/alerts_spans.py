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
    number, now_ns = next(_NUMBERS), time.time_ns()
    row: dict[str, Any] = {
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
        "call_key": f"call-{number}",
        "call_rank": 1,
    }
    store.insert_spans([[row.get(column.name, column.default) for column in SPAN_COLUMNS]])
    store.refresh_runs([("default", f"run-{number}", now_ns, now_ns)])
