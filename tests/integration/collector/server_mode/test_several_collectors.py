"""Two collectors on one ClickHouse server, each with a journal of its own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from loopwatch_collector.importing.sender import Sender
from loopwatch_collector.simulate.rhythm import DAY_NS
from loopwatch_collector.simulate.simulation import Simulation
from loopwatch_collector.simulate.truth import Truth
from loopwatch_collector.store.client import Clients
from loopwatch_collector.store.runs import RunDeriver, Touched
from loopwatch_collector.store.store import Store
from tests.processes import bare_collector, query, wait_for, wait_for_runs


@pytest.fixture
def collectors(database: str, tmp_path: Path) -> Iterator[list[str]]:
    with ExitStack() as stack:
        yield [
            stack.enter_context(bare_collector(tmp_path / name, LOOPWATCH_DSN=database)).url
            for name in ("one", "other")
        ]


def test_a_run_spread_over_two_collectors_is_one_run(collectors: list[str]) -> None:
    """A fleet's requests, cut small and sent to two collectors in turn, add up to the truth at both of them."""
    truth = Truth()
    fleet = Simulation(20_410 * DAY_NS, 1, 60)
    senders = [Sender(url) for url in collectors]
    for number, request in enumerate(fleet.requests(truth, spans_per_request=25)):
        senders[number % 2].send(ExportTraceServiceRequest.FromString(request.body))
    totals = truth.totals
    for url in collectors:
        wait_for_runs(url, totals["runs"])

    def summary(url: str) -> dict[str, int]:
        [row] = query(url, "runs_summary")
        return {name: row[name] for name in ("runs", "completed", "iterations", "tool_calls", "input_tokens")}

    expected = {name: totals[name] for name in ("runs", "completed", "iterations", "tool_calls", "input_tokens")}
    # Each collector has its own backlog: the sums are complete when both have written theirs.
    wait_for(lambda: all(summary(url) == expected for url in collectors), f"both collectors answer {expected}")


def test_spans_another_collector_stored_meanwhile_are_not_left_out(
    database: str, span: Callable[..., list[Any]]
) -> None:
    """Two derivations of one run, each begun before the other's row was there, end in one row with all spans."""
    store = Store.open(database)
    try:
        one = span(1, at_s=0, kind="run", outcome="completed")
        other = span(2, at_s=7200, kind="tool_call", tool="late", parent_span_id=(1).to_bytes(8, "big"))
        store.insert_spans([one, other])
        connection = Clients(database).get()
        starts = [row[4] for row in (one, other)]
        first, second = RunDeriver(is_alone=False), RunDeriver(is_alone=False)
        first.refresh(connection, [Touched("default", "run-1", starts[0], starts[0])])
        second.refresh(connection, [Touched("default", "run-1", starts[1], starts[1])])
        [row] = connection.records("SELECT spans, tool_calls, outcome FROM runs FINAL")
        assert row == {"spans": 2, "tool_calls": 1, "outcome": "completed"}
    finally:
        store.close()
