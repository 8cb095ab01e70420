"""What of the statement that derives runs a run needs: all of it, or what is enough for calls that are told plainly."""

from collections.abc import Callable
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from loopwatch_collector.store.statements import statement, statement_for
from loopwatch_collector.store.store import Store
from tests.integration.collector.store.conftest import NOON_NS

Span = Callable[..., list[Any]]
_RUNS = 150
_HOUR_NS = 3_600 * 10**9
_ROWS = "SELECT * EXCEPT (row_version) FROM runs WHERE row_version = {row_version:UInt64} ORDER BY run_id, start_time"
_KINDS = ("run", "iteration", "model_call", "model_call", "model_call", "tool_call", "event", "")
_MODELS = ("gpt-4o", "gpt-4o-2024-08-06", "claude-opus-5-5")


def _id(number: int) -> bytes:
    return number.to_bytes(8, "big")


def _told(chance: Random, kind: str, careless: bool) -> dict[str, Any]:
    """What a span says of a call, a tool, or all that an agent used; the careless leave ids out and tell sums."""
    told: dict[str, Any] = {}
    if kind == "model_call":
        response = "" if chance.random() < (0.4 if careless else 0.02) else f"msg_{chance.randrange(4)}"
        tokens = 0 if not response and chance.random() < 0.5 else chance.choice((10, 20))
        told = {
            "response_id": response, "call_rank": chance.randrange(10),
            "model": chance.choice(_MODELS), "request_model": chance.choice(("", *_MODELS)),
            "input_tokens": tokens, "output_tokens": tokens // 2, "input_bytes": chance.choice((0, 4_000)),
            "cost_usd": chance.choice((None, Decimal("0.000000000003"), Decimal("0.01"))),
        }  # fmt: skip
        if told["cost_usd"] is not None:
            told["input_cost_usd"], told["output_cost_usd"] = told["cost_usd"], Decimal(0)
    if kind == "tool_call":
        told = {
            "tool": chance.choice(("search", "fetch")), "result_bytes": chance.choice((0, 20, 900)),
            "arguments_hash": chance.choice(("", "a", "b")), "result_hash": chance.choice(("c", "d")),
            "tool_outcome": chance.choice(("success", "error", "not_found")),
        }  # fmt: skip
    if kind in {"run", ""} and careless and chance.random() < 0.3:
        told = {"input_tokens": 70, "reported_cost_usd": chance.choice((None, Decimal("0.2")))}
    return told


def _run(chance: Random, span: Span, run: int) -> list[list[Any]]:
    careless = chance.random() < 0.5
    rows: list[list[Any]] = []
    for number in range(1, chance.randrange(2, 12)):
        kind = "run" if number == 1 else chance.choice(_KINDS)
        parent = 0 if number == 1 else chance.randrange(number)
        rows.append(
            span(
                number,
                run_id=f"run-{run}",
                trace_id=bytes([run + 1]) * 16,
                kind=kind,
                parent_span_id=_id(parent),
                at_s=chance.randrange(9) / 2,
                duration_ns=chance.randrange(5) * 10**9,
                scope=chance.choice(("client", "wrapper")),
                **_told(chance, kind, careless),
            )
        )
    return rows


@pytest.mark.parametrize("seed", range(3))
def test_runs_get_the_same_row_from_every_statement_that_is_enough(store: Store, span: Span, seed: int) -> None:
    """Whatever spans make them up, runs that need less than the whole statement are derived alike by all of it."""
    chance = Random(seed)
    store.insert_spans([row for run in range(_RUNS) for row in _run(chance, span, run)])
    where = {
        "project": "default", "run_ids": [f"run-{run}" for run in range(_RUNS)],
        "first_ns": NOON_NS - _HOUR_NS, "last_ns": NOON_NS + _HOUR_NS,
    }  # fmt: skip
    connection = store.connection()
    involved = dict(connection.rows(statement("involved_runs"), where))
    failing = {run_id for run_id, is_failing in involved.items() if is_failing}
    assert _RUNS // 5 < len(involved) < _RUNS * 4 // 5
    assert 2 < len(failing) < len(involved) - _RUNS // 10
    rows: list[dict[str, dict[str, Any]]] = []
    for version, kinds in enumerate((("involved", "failing"), ("involved",), ("plain",)), start=1):
        connection.run(statement_for("derive_runs", *kinds), {**where, "row_version": version})
        rows.append({row["run_id"]: row for row in connection.records(_ROWS, {"row_version": version})})
    whole, without_failing, plain = rows
    assert set(whole) == set(where["run_ids"])
    for run_id, row in whole.items():
        if run_id not in failing:
            assert without_failing[run_id] == row
        if run_id not in involved:
            assert plain[run_id] == row


def test_many_runs_are_derived_each_by_the_statement_it_needs(
    store: Store, span: Span, write: Callable[[Store, list[list[Any]]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where many runs came at once, those that tell sums and those that do not are all derived, and rightly."""
    monkeypatch.setattr("loopwatch_collector.store.runs._PLAIN_RUNS_APART", 1)
    rows: list[list[Any]] = []
    for run in range(4):
        shared = {"run_id": f"run-{run}", "trace_id": bytes([run + 1]) * 16}
        rows.append(span(1, kind="run", input_tokens=300 * (run % 2), **shared))
        if run < 2:
            rows.append(span(2, kind="model_call", parent_span_id=_id(1), input_tokens=100, model="m", **shared))
    write(store, rows)
    found = store.connection().rows("SELECT run_id, model_calls, input_tokens FROM runs FINAL ORDER BY run_id")
    assert found == [("run-0", 1, 100), ("run-1", 1, 100), ("run-2", 0, 0), ("run-3", 0, 300)]
