"""Every named query over fleets that lack what most have: a price, an end, a version, a tool."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from loopwatch_collector.queries.catalogue import catalogue
from loopwatch_collector.queries.runner import Question, ask
from loopwatch_collector.queries.times import parse_time
from loopwatch_collector.store.store import Store

DAY_S = 86_400
FROM_NS = parse_time("from", "2026-10-01T00:00:00Z")
TO_NS = parse_time("to", "2026-10-02T00:00:00Z")
REQUIRED = {"version_a": "1", "version_b": "2"}

Row = list[Any]
MakeSpan = Callable[..., Row]
Write = Callable[[Store, list[Row]], None]


def _runs(
    span: MakeSpan, first: int, count: int, *, cost: Decimal | None, ended: bool = True, **common: Any
) -> list[Row]:
    """Runs of one model call each, a second apart."""
    rows: list[Row] = []
    for number in range(first, first + count):
        trace = number.to_bytes(16, "big")
        shared = {"run_id": trace.hex(), "trace_id": trace, **common}
        at_s = shared.pop("at_s", 0) + number
        call = {"kind": "model_call", "model": "home-made", "input_tokens": 10, "output_tokens": 1, "cost_usd": cost}
        parent = (2 * number).to_bytes(8, "big")
        rows.append(span(2 * number + 1, at_s=at_s, parent_span_id=parent, response_id=f"{number}", **call, **shared))
        if ended:
            rows.append(span(2 * number, at_s=at_s, kind="run", outcome="completed", duration_ns=1, **shared))
    return rows


def _answer(store: Store, name: str, **changes: Any) -> list[Row]:
    required = {param.name: REQUIRED[param.name] for param in catalogue()[name].params if param.default is None}
    return ask(store.connection(), Question(name, "default", FROM_NS, TO_NS, required, **changes)).rows


def _release(store: Store) -> dict[str, Any]:
    [row] = _answer(store, "releases")
    return dict(zip([column.name for column in catalogue()["releases"].columns], row, strict=True))


@pytest.mark.parametrize(("cost_before", "cost_after"), [(None, None), (Decimal(1), None), (None, Decimal(1))])
def test_a_release_without_prices_is_compared_but_for_its_cost(
    store: Store, span: MakeSpan, write: Write, cost_before: Decimal | None, cost_after: Decimal | None
) -> None:
    """Where one version of an agent, or both, have no priced run, what it costs more is unknown; the rest is told."""
    write(store, _runs(span, 1, 25, cost=cost_before, agent="unpriced", agent_version="1", at_s=-DAY_S))
    write(store, _runs(span, 101, 25, cost=cost_after, agent="unpriced", agent_version="2"))
    release = _release(store)
    assert (release["version"], release["runs"], release["previous_runs"]) == ("2", 25, 25)
    assert release["more_cost"] is None
    assert release["more_iterations"] == 0


def test_few_priced_runs_say_nothing_of_the_cost(store: Store, span: MakeSpan, write: Write) -> None:
    """Two priced runs among many without a price are no sample: what a version costs more stays unknown."""
    write(store, _runs(span, 1, 25, cost=Decimal(1), agent="half", agent_version="1", at_s=-DAY_S))
    write(store, _runs(span, 101, 23, cost=None, agent="half", agent_version="2"))
    write(store, _runs(span, 201, 2, cost=Decimal(5), agent="half", agent_version="2"))
    assert _release(store)["more_cost"] is None


def test_every_query_answers_fleets_that_lack_prices_and_ends(store: Store, span: MakeSpan, write: Write) -> None:
    """Every query answers where an agent has no priced run, another no ended one, and a run says nothing."""
    write(store, _runs(span, 301, 2, cost=None, agent="unpriced", agent_version="1", at_s=-DAY_S))
    write(store, _runs(span, 401, 2, cost=None, agent="unpriced", agent_version="2"))
    write(store, _runs(span, 1, 3, cost=None, ended=False, agent="endless", agent_version="1", at_s=-DAY_S))
    write(store, _runs(span, 101, 3, cost=Decimal(1), ended=False, agent="endless", agent_version="2"))
    write(store, [span(1, kind="run", run_id="bare"), span(2, kind="tool_call", run_id="bare")])
    answers = {name: _answer(store, name) for name in catalogue()}
    assert answers["runs_summary"][0][0] == 6
    open_only = dict(
        zip([column.name for column in catalogue()["releases"].columns], answers["releases"][0], strict=True)
    )
    assert (open_only["agent"], open_only["runs"]) == ("endless", 0)
    assert (open_only["more_cost"], open_only["more_iterations"]) == (None, None)
