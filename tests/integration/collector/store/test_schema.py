"""The tables: that they are what the row lists say, that stores of earlier versions come along, and what is read."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from loopwatch_collector.queries.catalogue import catalogue
from loopwatch_collector.queries.filter.compile import FILTER_PLACE
from loopwatch_collector.queries.runner import READ_SETTINGS, Question, ask, bind
from loopwatch_collector.queries.times import parse_time
from loopwatch_collector.store import migrate
from loopwatch_collector.store.client import Clients, Connection
from loopwatch_collector.store.errors import SchemaMismatch
from loopwatch_collector.store.rebuild import rebuild_runs
from loopwatch_collector.store.rows import (
    CONTENT_COLUMNS,
    DEAD_LETTER_COLUMNS,
    SPAN_COLUMNS,
    SPAN_INDEX,
    VERDICT_COLUMNS,
    Column,
)
from loopwatch_collector.store.store import Store
from tests.integration.collector.store.conftest import make_fleet

DAY_NS = 86_400 * 10**9
OCTOBER_NS = parse_time("from", "2026-10-01T00:00:00Z")
REQUIRED = {"version_a": "1", "version_b": "2"}


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("spans", SPAN_COLUMNS),
        ("contents", CONTENT_COLUMNS),
        ("dead_letters", DEAD_LETTER_COLUMNS),
        ("verdicts", VERDICT_COLUMNS),
    ],
)
def test_tables_have_the_columns_that_rows_are_written_in(
    store: Store, table: str, columns: tuple[Column, ...]
) -> None:
    """The column list exists once: the migrations make tables of exactly its names and types."""
    described = {row[0]: row[1] for row in store.connection().rows(f"DESCRIBE TABLE {table}")}
    assert {column.name: described.get(column.name) for column in columns} == {
        column.name: column.clickhouse_type for column in columns
    }


def test_a_store_of_each_earlier_schema_comes_along_with_its_data(tmp_path: Path) -> None:
    """Spans written under each schema since the first are all there, and count as they should, in a store of today."""
    dsn = f"chdb://{tmp_path}/store"
    clients = Clients(dsn)
    migrations = migrate.load()
    for last in range(1, len(migrations) + 1):
        assert migrate.apply(clients.get(), migrations[:last]) == migrations[last - 1 : last]
        _insert_with_the_columns_present(clients.get(), _fleet_of(last))
    clients.close()
    store = Store.open(dsn)
    rebuild_runs(store)
    counted = "SELECT splitByChar('/', run_id)[1] AS schema, count() FROM runs FINAL GROUP BY schema"
    assert dict(store.connection().rows(counted, settings=READ_SETTINGS)) == {
        f"{last}": 4 for last in range(1, len(migrations) + 1)
    }
    question = Question("runs_summary", "default", OCTOBER_NS - DAY_NS, OCTOBER_NS + DAY_NS)
    assert ask(store.connection(), question).rows[0][:6] == [len(migrations) * runs for runs in (4, 1, 1, 1, 0, 1)]
    store.close()


def _fleet_of(schema: int) -> list[list[Any]]:
    """The four hand-worked runs, told from those of other schemas by their ids."""
    fleet = make_fleet()
    trace_id, run_id = SPAN_INDEX["trace_id"], SPAN_INDEX["run_id"]
    for row in fleet:
        row[trace_id] = (1000 * schema + row[trace_id][-1]).to_bytes(16, "big")
        row[run_id] = f"{schema}/{row[run_id]}"
    return fleet


def _insert_with_the_columns_present(connection: Connection, rows: list[list[Any]]) -> None:
    present = {row[0] for row in connection.rows("DESCRIBE TABLE spans")}
    columns = [column for column in SPAN_COLUMNS if column.name in present]
    by_day: dict[int, list[list[Any]]] = {}
    for row in rows:
        values = [row[SPAN_INDEX[column.name]] for column in columns]
        by_day.setdefault(row[SPAN_INDEX["start_time"]] // DAY_NS, []).append(values)
    for values in by_day.values():
        connection.insert("spans", columns, values)


def test_a_changed_or_unknown_migration_stops_the_start(store: Store) -> None:
    """A file that was changed after it was applied, or a store of a newer version, is a sentence that says so."""
    migrations = migrate.load()
    changed = [migrations[0]._replace(sql=migrations[0].sql + " "), *migrations[1:]]
    with pytest.raises(SchemaMismatch, match="was changed after it was applied"):
        migrate.apply(store.connection(), changed)
    with pytest.raises(SchemaMismatch, match="written by a newer version"):
        migrate.apply(store.connection(), migrations[:-1])
    assert migrate.apply(store.connection(), migrations) == []


def test_a_question_about_a_day_reads_that_day_only(
    store: Store, span: Callable[..., list[Any]], write: Callable[[Store, list[list[Any]]], None]
) -> None:
    """EXPLAIN shows that no named query over one day touches the parts of other days, of spans or of runs."""
    store.connection().run("SYSTEM STOP MERGES")
    for day in range(10):
        write(store, [span(day, at_s=day * 86_400, kind="run", run_id=f"run-{day}", trace_id=bytes([day + 1]) * 16)])
    parts = dict(store.connection().rows("SELECT table, count() FROM system.parts WHERE active GROUP BY table"))
    statements = [
        (name, query, {query.told_apart_by: value} if value else {}, sql)
        for name, query in catalogue().items()
        for value, sql in (query.variants or {"": query.sql}).items()
    ]
    for name, query, chosen, sql in statements:
        params = {param.name: REQUIRED[param.name] for param in query.params if param.default is None} | chosen
        question = Question(name, "default", OCTOBER_NS, OCTOBER_NS + DAY_NS, params)
        explained = store.connection().rows(
            f"EXPLAIN ESTIMATE {sql.replace(FILTER_PLACE, '1')}", bind(query, question), READ_SETTINGS
        )
        for _, table, read, *_ in explained:
            if table in {"spans", "runs"}:
                # a part may be counted once for each time the query names its table
                assert read < parts[table], (name, table, read)
