"""A simulated fleet through a real collector: its answers are the ground truth."""

import json
import urllib.request
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from tests.processes import bare_collector, get, loopwatch, query, wait_for, wait_for_runs

# USD per million tokens: uncached input, cache read, cache write, output
PRICES = {
    "claude-opus-5-5": ("4", "0.20", "5", "20"),
    "claude-sonnet-5-5": ("2", "0.10", "2.50", "10"),
    "claude-haiku-5-5": ("0.10", "0.01", "0.125", "0.50"),
    "gpt-5": ("1.25", "0.125", "1.25", "10"),
    "gpt-5-mini": ("0.25", "0.025", "0.25", "2"),
}
RUNS = 200


def _waiting(endpoint: str) -> float:
    """How many journal records are not in the store yet."""
    with urllib.request.urlopen(f"{endpoint}/metrics", timeout=10) as reply:
        lines = reply.read().decode().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith("loopwatch_journal_records "))


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, dict[str, Any]]]:
    folder = tmp_path_factory.mktemp("fleet")
    with bare_collector(folder) as running:
        # --end in the past: these are days a live sender could not send
        sent = loopwatch(
            "simulate", "--runs", str(RUNS), "--days", "5", "--end", "2025-06-07", "--seed", "4", "--quiet",
            "--endpoint", running.url, "--truth", str(folder / "truth.json"),
        )  # fmt: skip
        assert sent.returncode == 0, sent.stderr
        truth = json.loads((folder / "truth.json").read_text())
        wait_for_runs(running.url, truth["totals"]["runs"])
        yield running.url, truth


def test_every_total_is_true(fleet: tuple[str, dict[str, Any]]) -> None:
    """Runs by outcome, iterations, tool calls, errors and tokens are those that were put in."""
    endpoint, truth = fleet
    [summary] = query(endpoint, "runs_summary")
    totals = truth["totals"]
    for name in ("completed", "escalated", "failed", "stopped", "iterations", "tool_calls", "tool_errors"):
        assert summary[name] == totals.get(name, 0), name
    assert summary["input_tokens"] == totals["input_tokens"]
    assert summary["output_tokens"] == totals["output_tokens"]


def test_every_tool_is_true(fleet: tuple[str, dict[str, Any]]) -> None:
    """Each tool's calls, errors and empty results are those that were put in."""
    endpoint, truth = fleet
    stored = {
        row["tool"]: {"calls": row["calls"], "errors": row["errors"], "not_found": row["not_found"]}
        for row in query(endpoint, "tool_summary", limit=100)
    }
    assert stored == truth["by_tool"]


def test_a_reprice_without_a_new_price_changes_no_call(fleet: tuple[str, dict[str, Any]]) -> None:
    """Priced again at the prices they were stored with, the calls of all days cost what they cost, failed ones too."""
    endpoint, truth = fleet
    done = loopwatch("reprice", "--from", "2025-06-01", "--to", "2025-06-08", "--json", "--endpoint", endpoint)
    assert done.returncode == 0, done.stderr
    days = [json.loads(line) for line in done.stdout.splitlines()]
    assert sum(day["calls"] for day in days) >= sum(numbers["calls"] for numbers in truth["by_model"].values())
    assert [day["day"] for day in days if day["changed_calls"]] == []


def test_every_cost_is_true(fleet: tuple[str, dict[str, Any]]) -> None:
    """Each model's cost is its tokens times its prices, to the last digit; the unpriced model has none."""
    endpoint, truth = fleet
    rows = {row["key"]: row for row in query(endpoint, "cost_by", dimension="model")}
    assert rows.keys() == truth["by_model"].keys()
    for model, numbers in truth["by_model"].items():
        row = rows[model]
        assert row["model_calls"] == numbers["calls"]
        if model not in PRICES:
            assert row["cost_usd"] is None
            assert row["unpriced_tokens"] == numbers["input_tokens"] + numbers["output_tokens"]
            continue
        price = [Decimal(text) for text in PRICES[model]]
        read, written = numbers["cache_read_tokens"], numbers["cache_write_tokens"]
        tokens = (numbers["input_tokens"] - read - written, read, written, numbers["output_tokens"])
        expected = sum(each * count for each, count in zip(price, tokens, strict=True)) / 1_000_000
        assert row["cost_usd"] == pytest.approx(float(expected), rel=1e-12), model


def test_every_query_is_answered(fleet: tuple[str, dict[str, Any]]) -> None:
    """Every named query answers over the simulated fleet, which has an unpriced model and runs without an end."""
    endpoint, truth = fleet
    rows: dict[str, list[dict[str, Any]]] = {}
    for asked in get(f"{endpoint}/api/v1/queries")["queries"]:
        required = {param["name"]: "1" for param in asked["params"] if param["required"]}
        rows[asked["name"]] = query(endpoint, asked["name"], **required)  # a refusal would be raised
    assert rows["runs_summary"][0]["runs"] == truth["totals"]["runs"]


def test_sending_it_again_changes_nothing(fleet: tuple[str, dict[str, Any]]) -> None:
    """The same seed again is the same fleet: every sum stays."""
    endpoint, truth = fleet
    again = loopwatch(
        "simulate", "--runs", str(RUNS), "--days", "5", "--end", "2025-06-07", "--seed", "4", "--quiet",
        "--endpoint", endpoint, "--spans-per-request", "300",
    )  # fmt: skip
    assert again.returncode == 0, again.stderr
    wait_for(lambda: _waiting(endpoint) == 0, "the journal is written")
    [summary] = query(endpoint, "runs_summary")
    assert summary["runs"] == truth["totals"]["runs"]
    assert summary["input_tokens"] == truth["totals"]["input_tokens"]
    assert summary["tool_calls"] == truth["totals"]["tool_calls"]
