"""Recorded transcripts through the command, the collector and the API."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browsing import chromium, visit
from tests.processes import Running, collector, dashboards, get, loopwatch, query, wait_for, wait_for_runs

DATA = Path(__file__).parents[1] / "data" / "chat"
FIELDS = ["--format", "chat", "--id", "task_id", "--id", "trial", "--outcome", "reward"]
START = ["--start", "2026-01-31T09:00:00Z"]


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with collector(tmp_path_factory.mktemp("import")) as running:
        yield running


def _import(file: Path, receiver: Running, *options: str) -> Any:
    return loopwatch("import", str(file), *FIELDS, *options, "--endpoint", receiver.url)


def _tools(receiver: Running, agent: str) -> dict[str, tuple[int, int]]:
    return {row["tool"]: (row["calls"], row["errors"]) for row in query(receiver.url, "tool_summary", agent=agent)}


def test_hand_counted_file_twice(receiver: Running) -> None:
    """The file gives the counts made by hand; importing it again, even with another start, changes nothing."""
    expected = json.loads((DATA / "expected.json").read_text())
    first = _import(DATA / "support.json", receiver, *START)
    assert first.returncode == 0, first.stderr
    wait_for_runs(receiver.url, 12)
    before = _answers(receiver, "support")
    again = _import(DATA / "support.json", receiver, "--start", "2026-03-01T00:00:00Z")
    assert again.returncode == 0, again.stderr
    marker = _import(DATA / "support.json", receiver, *START, "--agent", "marker")
    assert marker.returncode == 0, marker.stderr
    wait_for_runs(receiver.url, 24)  # what came before the marker in the journal is stored too
    assert _answers(receiver, "support") == before
    summary, iterations = before["runs_summary"][0], before["iterations_summary"][0]
    assert {name: summary[name] for name in ("runs", "completed", "failed", "escalated")} == {
        name: expected[name] for name in ("runs", "completed", "failed", "escalated")
    }
    assert (summary["tool_calls"], summary["tool_errors"]) == (expected["tool_calls"], expected["tool_errors"])
    assert (iterations["iterations"], iterations["p50"], iterations["max"]) == (31, 3, 4)
    assert _tools(receiver, "support") == {
        tool: (counts["calls"], counts["errors"]) for tool, counts in expected["tools"].items()
    }


def _answers(receiver: Running, agent: str) -> dict[str, list[dict[str, Any]]]:
    names = ("runs_summary", "iterations_summary", "tool_summary", "escalations_summary", "cost_by")
    answers = {
        name: query(receiver.url, name, agent=agent, **({"dimension": "agent"} if name == "cost_by" else {}))
        for name in names
    }
    runs = get(
        f"{receiver.url}/api/v1/runs", **{"from": "2000-01-01", "to": "2100-01-01", "agent": agent, "limit": 100}
    )
    return {**answers, "runs": runs["runs"]}


@pytest.mark.skipif("LOOPWATCH_TEST_DATA" not in os.environ, reason="the recorded runs are not part of the repository")
def test_recorded_airline_runs(receiver: Running) -> None:
    """The 200 recorded runs give, through the API, exactly what was computed of them independently of this project."""
    folder = Path(os.environ["LOOPWATCH_TEST_DATA"]) / "tau_bench_airline"
    truth = json.loads((folder / "ground_truth.json").read_text())
    options = ["--agent", "airline", "--model", "gpt-4o", *START]
    imported = _import(folder / "gpt-4o-airline.json", receiver, *options)
    assert imported.returncode == 0, imported.stderr
    wait_for(
        lambda: query(receiver.url, "runs_summary", agent="airline")[0]["runs"] == 200 or None, "200 runs are stored"
    )
    (summary,) = query(receiver.url, "runs_summary", agent="airline")
    (iterations,) = query(receiver.url, "iterations_summary", agent="airline")
    counts = truth["iterations_per_run"]
    assert (summary["runs"], summary["escalated"], summary["tool_calls"], summary["tool_errors"]) == (200, 48, 1164, 73)
    assert round(iterations["mean"], 2) == counts["mean"] == 12.27
    assert round(iterations["p95"], 6) == counts["p95"] == 23.1
    assert (iterations["p50"], iterations["max"], iterations["iterations"]) == (11, 30, 2454)
    assert _tools(receiver, "airline") == {
        tool: (numbers["calls"], numbers["errors"]) for tool, numbers in truth["tools"].items()
    }


RANGE = "from=2026-01-31T00:00:00Z&to=2026-02-02T00:00:00Z"
# What a person reads of the hand-counted file and of the recorded runs: page -> tile -> number.
SUPPORT_TILES = {
    "": {"Runs": "12", "Escalated": "16.7 %"},
    "iterations": {"Mean": "2.58", "p50": "3", "p95": "4", "Max": "4"},
    "tools": {"Tool calls": "19", "Errors": "6"},
    "escalations": {"Escalated": "2"},
}
AIRLINE_TILES = {
    "": {"Runs": "200", "Escalated": "24.0 %"},
    "iterations": {"Mean": "12.3", "p50": "11", "p95": "23.1", "Max": "30"},
    "tools": {"Tool calls": "1,164", "Errors": "73"},
    "escalations": {"Escalated": "48"},
}


def _tiles(
    receiver: Running, folder: Path, agent: str, expected: dict[str, dict[str, str]]
) -> dict[str, dict[str, str]]:
    seen: dict[str, dict[str, str]] = {}
    with dashboards(folder, receiver.url) as shown, chromium() as browser, visit(browser, shown.url) as tab:
        for page, labels in expected.items():
            tab.goto(f"{shown.url}/{page}?{RANGE}&agent={agent}")
            seen[page] = {label: tab.tile(label) for label in labels}
    return seen


@pytest.mark.browser
def test_pages_show_the_hand_counted_file(receiver: Running, tmp_path: Path) -> None:
    """The pages show, in a real browser, the numbers that were counted by hand."""
    assert _import(DATA / "support.json", receiver, *START).returncode == 0
    wait_for(
        lambda: query(receiver.url, "runs_summary", agent="support")[0]["runs"] == 12 or None, "12 runs are stored"
    )
    assert _tiles(receiver, tmp_path, "support", SUPPORT_TILES) == SUPPORT_TILES


@pytest.mark.browser
@pytest.mark.skipif("LOOPWATCH_TEST_DATA" not in os.environ, reason="the recorded runs are not part of the repository")
def test_pages_show_the_recorded_airline_runs(receiver: Running, tmp_path: Path) -> None:
    """The pages show, in a real browser, what was computed of the recorded runs independently of this project."""
    file = Path(os.environ["LOOPWATCH_TEST_DATA"]) / "tau_bench_airline" / "gpt-4o-airline.json"
    assert _import(file, receiver, "--agent", "airline", "--model", "gpt-4o", *START).returncode == 0
    wait_for(
        lambda: query(receiver.url, "runs_summary", agent="airline")[0]["runs"] == 200 or None, "200 runs are stored"
    )
    assert _tiles(receiver, tmp_path, "airline", AIRLINE_TILES) == AIRLINE_TILES


@pytest.mark.parametrize(
    ("content", "options", "sentence"),
    [
        ("{", [], "neither JSON nor JSON lines"),
        ('[{"messages": [{"role": "user", "content": "Hi"}]}]', [], "no field reward"),
        (
            '[{"task_id": 1, "trial": 1, "reward": 1, "messages": [{"role": "assistant", "content": "Hi"}]}]',
            [],
            "--start",
        ),
    ],
)
def test_bad_file_is_one_sentence(
    receiver: Running, tmp_path: Path, content: str, options: list[str], sentence: str
) -> None:
    """A file that cannot be imported ends the command with status 1 and one sentence, not a traceback."""
    file = tmp_path / "bad.json"
    file.write_text(content)
    result = _import(file, receiver, *options)
    assert result.returncode == 1
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr


def test_no_collector_is_one_sentence(tmp_path: Path) -> None:
    """Without a collector the command says where it looked and how to start one."""
    result = loopwatch("import", str(DATA / "support.json"), *FIELDS, *START, "--endpoint", "http://127.0.0.1:9")
    assert result.returncode == 1
    assert "no collector answers at http://127.0.0.1:9" in result.stderr
    assert "Traceback" not in result.stderr
