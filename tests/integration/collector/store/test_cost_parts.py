"""The parts of the cost add up to it, whatever it is told by."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from loopwatch_collector.queries.runner import Question, ask
from loopwatch_collector.store.store import Store
from tests.integration.collector.store.conftest import NOON_NS, SECOND_NS

Span = Callable[..., list[Any]]
Write = Callable[[Store, list[list[Any]]], None]
_PARTS = ("input_cost_usd", "output_cost_usd", "cache_read_cost_usd", "cache_write_cost_usd")


def _costs(store: Store, dimension: str) -> dict[str, Decimal]:
    asked = Question("cost_by", "default", NOON_NS - SECOND_NS, NOON_NS + 100 * SECOND_NS, {"dimension": dimension})
    answer = ask(store.connection(), asked)
    at = [column.name for column in answer.query.columns].index("cost_usd")
    return {row[0]: Decimal(str(row[at])) for row in answer.rows}


def _of(run_id: str, number: int, **values: Any) -> dict[str, Any]:
    return {"run_id": run_id, "trace_id": bytes([number]) * 16, "agent": run_id, **values}


def test_the_parts_of_the_cost_add_up_to_it(store: Store, span: Span, write: Write) -> None:
    """What is reported for a run as a whole, what searches cost and what is not split are in every sum."""
    call = {"kind": "model_call", "model": "opus", "input_tokens": 100, "output_tokens": 10}
    split = dict(zip(_PARTS, map(Decimal, ("0.0005", "0.00025", "0", "0")), strict=True))
    write(
        store,
        [
            span(1, **_of("whole", 1, kind="run", input_tokens=900, reported_cost_usd=Decimal("0.5"))),
            span(2, **_of("no tokens", 2, kind="run", reported_cost_usd=Decimal("0.01"))),
            span(3, **_of("searches", 3, kind="run")),
            span(4, **_of("searches", 3, cost_usd=Decimal("0.03075"), **split, **call)),
            span(5, **_of("reported", 4, kind="run")),
            span(6, **_of("reported", 4, cost_usd=Decimal("0.2"), **call)),
        ],
    )
    assert _costs(store, "agent") == {
        "whole": Decimal("0.5"), "reported": Decimal("0.2"), "searches": Decimal("0.03075"),
        "no tokens": Decimal("0.01"),
    }  # fmt: skip
    assert _costs(store, "model") == {"": Decimal("0.51"), "opus": Decimal("0.23075")}
    assert _costs(store, "tool") == {"(no tool)": Decimal("0.74075")}
    assert _costs(store, "token_kind") == {
        "(not split)": Decimal("0.71"), "web_search": Decimal("0.03"), "input": Decimal("0.0005"),
        "output": Decimal("0.00025"), "cache_read": Decimal(0), "cache_write": Decimal(0),
    }  # fmt: skip
