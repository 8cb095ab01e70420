"""Rows spread over shards by the cluster's sharding keys give the answers of one table.

There are no servers to be shards, so two tables are, read through one that merges them: it asks each for its rows
with FINAL, as a Distributed table does. What this proves is that the keys bring a row's versions together.
"""

from collections.abc import Callable
from typing import Any

from loopwatch_collector.queries.catalogue import catalogue
from loopwatch_collector.queries.runner import Question, ask
from loopwatch_collector.store.client import Connection
from loopwatch_collector.store.cluster import SHARDING
from loopwatch_collector.store.store import Store

DAY_NS = 86_400 * 10**9
REQUIRED = {"version_a": "12", "version_b": "13"}


def _spread(connection: Connection) -> list[str]:
    """Puts each table's rows, replaced versions included, into two shards; returns the tables spread."""
    spread = [table for table, key in SHARDING.items() if key != "0"]
    for table in spread:
        for shard in (0, 1):
            connection.create(f"CREATE TABLE {table}_shard_{shard} AS {table}")
            chosen = f"{SHARDING[table]} % 2 = {shard}"
            rows = f"INSERT INTO {table}_shard_{shard} SELECT * FROM {table} WHERE {chosen}"
            connection.run(rows, settings={"optimize_on_insert": 0})
        connection.create(f"RENAME TABLE {table} TO {table}_whole")
        connection.create(f"CREATE TABLE {table} AS {table}_whole ENGINE = Merge(currentDatabase(), '^{table}_shard_')")
    return spread


def _answers(connection: Connection) -> dict[str, list[Any]]:
    answers: dict[str, list[Any]] = {}
    for name, query in catalogue().items():
        params = {param.name: REQUIRED[param.name] for param in query.params if param.default is None}
        question = Question(name, "default", 1_759_000_000 * 10**9, 1_822_000_000 * 10**9, params=params)
        answers[name] = sorted(ask(connection, question).rows, key=repr)
    return answers


def test_rows_spread_over_shards_answer_as_one_table(
    store: Store, fleet: list[list[Any]], write: Callable[[Store, list[list[Any]]], None]
) -> None:
    """Every named query, with each span stored twice, answers the same from two shards as from one table."""
    connection = store.connection()
    connection.create("SYSTEM STOP MERGES")
    write(store, fleet)
    write(store, fleet)
    whole = _answers(connection)
    assert any(whole.values())
    spread = _spread(connection)
    counts = connection.rows("SELECT (SELECT count() FROM spans_shard_0), (SELECT count() FROM spans_shard_1)")
    assert min(counts[0]) > 0, "both shards have spans"
    assert sum(counts[0]) == 2 * len(fleet)
    assert "runs" in spread
    sharded = _answers(connection)
    assert {name: rows for name, rows in sharded.items() if rows != whole[name]} == {}
