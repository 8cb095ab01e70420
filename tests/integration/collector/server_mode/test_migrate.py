"""`loopwatch migrate`: an embedded store with a fleet in it moves to a server."""

from pathlib import Path
from typing import Any

import pytest

from loopwatch_collector.moving.move import BY_DAY, LEFT_BEHIND, WHOLE, move, pieces
from loopwatch_collector.store.cluster import SHARDING
from loopwatch_collector.store.store import Store
from tests.processes import bare_collector, loopwatch, query, wait_for_runs


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Any]]:
    """The data directory of a stopped collector that had a fleet with content, and what it answered."""
    folder = tmp_path_factory.mktemp("embedded")
    with bare_collector(folder) as running:
        sent = loopwatch(
            "simulate", "--runs", "30", "--days", "3", "--content", "--quiet", "--endpoint", running.url,
            "--truth", str(folder / "truth.json"),
        )  # fmt: skip
        assert sent.returncode == 0, sent.stderr
        wait_for_runs(running.url, int(sent.stdout.split()[0]))
        answer = _answer(running.url)
    return folder / "data", answer


def _answer(endpoint: str) -> list[Any]:
    return [
        query(endpoint, "runs_summary"),
        query(endpoint, "tool_summary"),
        query(endpoint, "cost_by", dimension="customer"),
    ]


def test_every_table_is_moved_or_left_behind_on_purpose() -> None:
    """No table of the store is forgotten."""
    assert sorted([*BY_DAY, *WHOLE, *LEFT_BEHIND]) == sorted(SHARDING)


def test_a_moved_store_answers_the_same(stopped: tuple[Path, list[Any]], database: str, tmp_path: Path) -> None:
    """After the move a collector on the server gives the embedded one's answers; moving again copies nothing."""
    data_dir, answer = stopped
    moved = loopwatch("migrate", "--to", database, "--data-dir", str(data_dir), "--quiet")
    assert moved.returncode == 0, moved.stderr
    assert "every row is there" in moved.stdout
    assert "0 were there already" in moved.stdout
    with bare_collector(tmp_path, LOOPWATCH_DSN=database) as running:
        assert _answer(running.url) == answer
    again = loopwatch("migrate", "--to", database, "--data-dir", str(data_dir), "--quiet")
    assert again.returncode == 0, again.stderr
    assert "spans: 0 rows copied" in again.stdout


def test_a_broken_off_move_goes_on(stopped: tuple[Path, list[Any]], database: str) -> None:
    """Pieces that arrived are left alone, one that arrived in part is made whole, the rest is copied."""
    source, target = Store.open(f"chdb://{stopped[0]}/store"), Store.open(database)
    try:
        wanted = pieces(source.connection())
        begun = move(source.connection(), target.connection(), wanted)
        arrived = [next(begun), next(begun)]
        begun.close()
        assert all(one.was_copied for one in arrived)
        first = arrived[0].piece
        target.connection().run(
            "ALTER TABLE spans DELETE WHERE toDate(start_time) = {day:Date} AND kind = 'model_call'",
            {"day": first.day},
            {"mutations_sync": 2},
        )
        went_on = list(move(source.connection(), target.connection(), wanted))
        assert [one.was_copied for one in went_on[:2]] == [True, False]
        assert all(one.was_copied for one in went_on[2:])
        assert len(went_on) == len(wanted)
        assert not any(one.was_copied for one in move(source.connection(), target.connection(), wanted))
    finally:
        source.close()
        target.close()


@pytest.mark.parametrize(
    ("to", "sentence"),
    [("chdb:///elsewhere", "--to names a server"), ("clickhouse://h/db?shard=1", "may end in ?cluster=NAME")],
)
def test_where_it_cannot_go_is_said(stopped: tuple[Path, list[Any]], to: str, sentence: str) -> None:
    """Another embedded store, or an address with an option that does not exist, is refused before anything is read."""
    refused = loopwatch("migrate", "--to", to, "--data-dir", str(stopped[0]))
    assert refused.returncode == 1
    assert sentence in refused.stderr


def test_a_running_collector_is_named(tmp_path: Path, database: str) -> None:
    """The embedded store is the collector's while it runs."""
    with bare_collector(tmp_path) as running:
        refused = loopwatch("migrate", "--to", database, "--data-dir", str(tmp_path / "data"))
    assert refused.returncode == 1
    assert str(running.process.pid) in refused.stderr
