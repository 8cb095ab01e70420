"""`loopwatch rebuild` and `loopwatch reprice` on a running collector, as an operator uses them."""

import json
from pathlib import Path
from typing import Any

from tests.processes import (
    ALL_TIME,
    Running,
    bare_collector,
    get,
    loopwatch,
    query,
    wait_for_runs,
    wait_until_stored,
)

DAY = "2026-10-01"
KEPT = {"LOOPWATCH_RETENTION_DAYS": "4000", "LOOPWATCH_CONTENT_RETENTION_DAYS": "4000"}


def test_upkeep_changes_what_it_says_and_nothing_else(tmp_path: Path) -> None:
    """A rebuild gives the rows that live writing gave. A reprice tells the difference, then writes just that, once."""
    with bare_collector(tmp_path, **KEPT) as running:
        _simulate(running, tmp_path)
        written = _runs(running)
        rebuilt = _command(running, "rebuild", "runs", "--json")
        assert json.loads(rebuilt)["runs"] >= len(written) > 10
        assert _runs(running) == written

    prices = tmp_path / "prices.toml"
    prices.write_text('[[price]]\nmodel = "claude-opus-5-5"\ninput = 1000\noutput = 1000\n')
    with bare_collector(tmp_path, LOOPWATCH_PRICES=str(prices), **KEPT) as running:
        before_usd = _cost(running)
        told = _difference(running)
        assert told["after_usd"] > told["before_usd"]
        assert _cost(running) == before_usd
        assert _difference(running, "--apply") == told | {"applied": True}
        assert round(_cost(running) - before_usd, 6) == round(told["after_usd"] - told["before_usd"], 6)
        assert _difference(running, "--apply")["changed_calls"] == 0
        assert "none changes" in _command(running, "reprice", "--from", DAY, "--to", DAY)
        endpoint = running.url
    silent = loopwatch("reprice", "--from", DAY, "--to", DAY, "--endpoint", endpoint)
    assert silent.returncode == 1
    assert f"go on with --from {DAY}" in silent.stderr


def _simulate(running: Running, folder: Path) -> None:
    sent = loopwatch(
        "simulate", "--spans", "600", "--days", "1", "--end", "2026-10-02", "--quiet", "--no-content",
        "--endpoint", running.url, "--truth", str(folder / "truth.json"),
    )  # fmt: skip
    assert sent.returncode == 0, sent.stderr
    wait_for_runs(running.url, json.loads((folder / "truth.json").read_text())["totals"]["runs"])
    wait_until_stored(running.url)


def _runs(running: Running) -> list[dict[str, Any]]:
    return get(f"{running.url}/api/v1/runs", **ALL_TIME, limit=1000)["runs"]


def _cost(running: Running) -> float:
    return sum(row["cost_usd"] or 0 for row in query(running.url, "cost_by", dimension="agent"))


def _difference(running: Running, *words: str) -> dict[str, Any]:
    return json.loads(_command(running, "reprice", "--from", DAY, "--to", DAY, "--json", *words))


def _command(running: Running, *words: str) -> str:
    done = loopwatch(*words, "--endpoint", running.url)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_reprice_of_no_day_is_refused() -> None:
    """A first day later than the last is a mistake, and not a reprice that found nothing to do."""
    done = loopwatch("reprice", "--from", "2026-02-02", "--to", "2026-02-01")
    assert (done.returncode, "--from 2026-02-02 is later than --to 2026-02-01" in done.stderr) == (2, True)
