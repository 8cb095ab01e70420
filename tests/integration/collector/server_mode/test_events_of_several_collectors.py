"""Plain events of one run sent to two collectors on one ClickHouse server: it does not matter which gets which."""

import json
import random
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from loopwatch_collector import event_parts
from loopwatch_collector.store.client import Clients
from loopwatch_collector.store.runs import RunDeriver, Touched
from loopwatch_collector.store.store import Store
from tests.processes import ALL_TIME, bare_collector, get, query, wait_for, wait_until_stored

NOW_MS = int(time.time() * 1000) - 600_000


@pytest.fixture
def collectors(database: str, tmp_path: Path) -> Iterator[list[str]]:
    with ExitStack() as stack:
        yield [
            stack.enter_context(bare_collector(tmp_path / name, LOOPWATCH_DSN=database)).url
            for name in ("one", "other")
        ]


def _send(url: str, event: dict[str, Any]) -> None:
    request = urllib.request.Request(
        f"{url}/v1/events", json.dumps(event).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as reply:
        assert json.load(reply)["accepted"] == 1


def _event(trace: str, kind: str, after_ms: int, **fields: Any) -> dict[str, Any]:
    return {"traceId": trace, "conversationId": trace, "timestamp": NOW_MS + after_ms, "eventType": kind, **fields}


def _tool(trace: str, kind: str, after_ms: int, tool: str, **fields: Any) -> dict[str, Any]:
    return _event(trace, kind, after_ms, data={"tool": tool, **fields})


def _incident(trace: str) -> list[dict[str, Any]]:
    """Ninety seconds, so that its parts lie in several minutes, as a row's identity does."""
    return [
        _event(trace, "plan", 0, data="look"),
        _tool(trace, "tool_call", 1_000, "search", arguments={"q": 1}),
        _tool(trace, "tool_call", 2_000, "search", arguments={"q": 2}),
        _tool(trace, "tool_call", 3_000, "fetch", arguments={"id": 3}, toolCallId="f"),
        _tool(trace, "tool_result", 61_000, "search", result="of the second"),
        _tool(trace, "tool_result", 62_000, "search", error="timed out"),
        _tool(trace, "tool_result", 63_000, "fetch", result=[], toolCallId="f"),
        _event(trace, "response", 70_000, outcome="failed", data="no"),
        _event(trace, "response", 90_000, outcome="completed", data="done after all"),
    ]


def _told(url: str, trace: str) -> dict[str, Any] | None:
    """What one collector says of the incident's run."""
    runs = get(f"{url}/api/v1/runs", **ALL_TIME, conversation=trace)["runs"]
    if len(runs) != 1:
        return {"runs": len(runs)}
    run = runs[0]
    answer = get(f"{url}/api/v1/runs/{run['run_id']}/spans", content="true")
    tools = [span for span in answer["spans"] if span["kind"] == "tool_call"]
    return {
        **{name: run[name] for name in ("outcome", "duration_ns", "tool_calls", "tool_errors", "tool_not_found")},
        "kinds": sorted(span["kind"] for span in answer["spans"]),
        "tools": sorted(
            (span["tool"], span["duration_ns"] // 10**6, span["tool_outcome"], *sorted(span["content"]))
            for span in tools
        ),
    }


TRUTH = {
    "outcome": "completed",
    "duration_ns": 90 * 10**9,
    "tool_calls": 3,
    "tool_errors": 1,
    "tool_not_found": 1,
    "kinds": ["run", "step", "tool_call", "tool_call", "tool_call"],
    "tools": [
        ("fetch", 60_000, "not_found", "arguments", "result"),
        ("search", 59_000, "success", "arguments", "result"),
        ("search", 61_000, "error", "arguments", "result"),
    ],
}


def test_events_are_paired_whatever_collector_they_go_to(collectors: list[str]) -> None:
    """Events of one run sent to two collectors by turns, in order, backwards, shuffled and twice, are the same run."""
    chance = random.Random(7)
    plans: dict[str, Callable[[list[Any]], list[Any]]] = {
        "in order": lambda events: events,
        "backwards": lambda events: events[::-1],
        "shuffled": lambda events: chance.sample(events, len(events)),
        "twice": lambda events: [*events, *chance.sample(events, len(events))],
    }
    for trace, plan in plans.items():
        for number, event in enumerate(plan(_incident(trace))):
            _send(collectors[number % 2], event)
    for url in collectors:
        for trace in plans:
            wait_for(
                lambda url=url, trace=trace: _told(url, trace) == TRUTH, f"the run of events sent {trace}, at {url}"
            )
        wait_until_stored(url)
    for url in collectors:
        assert {trace: _told(url, trace) for trace in plans} == dict.fromkeys(plans, TRUTH)
        [summary] = query(url, "runs_summary")
        assert (summary["runs"], summary["tool_calls"]) == (4, 12)


def test_a_late_write_of_another_collector_does_not_undo_a_pair(database: str, span: Callable[..., list[Any]]) -> None:
    """A collector that read before the call was there, and writes after it was paired, changes nothing for good."""
    call = span(
        1, at_s=0, kind="tool_call", tool="search", scope=event_parts.SCOPE, attributes={"loopwatch.event": "tool_call"}
    )
    result = span(
        2, at_s=90, kind="event", tool="search", scope=event_parts.SCOPE, tool_outcome="error",
        attributes={"loopwatch.event": "tool_result"},
    )  # fmt: skip
    store = Store.open(database)
    try:
        connection = Clients(database).get()
        events = {("default", "run-1")}
        first, second = RunDeriver(is_alone=False), RunDeriver(is_alone=False)
        store.insert_spans([result])
        second.refresh(connection, [Touched("default", "run-1", result[4], result[4])], events)
        [alone] = connection.records("SELECT * FROM spans FINAL")
        assert alone["kind"] == "tool_call"
        store.insert_spans([call])
        first.refresh(connection, [Touched("default", "run-1", call[4], call[4])], events)
        # what the second wrote while the first was at it, arriving only now: an older version of the result's row
        store.insert_spans(
            [
                span(
                    2,
                    at_s=90,
                    kind="tool_call",
                    tool="search",
                    scope=event_parts.SCOPE,
                    row_version=alone["row_version"],
                )
            ]
        )
        assert connection.rows("SELECT kind, tool_outcome FROM spans FINAL ORDER BY start_time") == [
            ("tool_call", "error"),
            ("event", "error"),
        ]
        [run] = connection.records("SELECT spans, tool_calls, tool_errors FROM runs FINAL")
        assert run == {"spans": 1, "tool_calls": 1, "tool_errors": 1}
    finally:
        store.close()
