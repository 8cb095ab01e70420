"""Deletion and retention over every table of the schema, so that a table added later is not forgotten."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from loopwatch_collector.retention import deletion
from loopwatch_collector.retention.policy import DATED_TABLES, Days, RetentionPolicy
from loopwatch_collector.retention.statements import statement
from loopwatch_collector.retention.sweep import sweep, sweep_verdicts
from loopwatch_collector.retention.tables import TABLES
from loopwatch_collector.store.client import Connection
from loopwatch_collector.store.rows import Column
from loopwatch_collector.store.store import Store
from tests.migrated_store import migrated_store

BOB = "bob@example.com"
ANN = "ann@example.com"
TODAY = date(2026, 3, 31)
NS = 10**9
NAMING_ATTRIBUTE = {"user": "user.email", "conversation": "session.id", "customer": "tenant.id"}


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    """This thread's way to an empty embedded store."""
    store = Store.open(migrated_store(tmp_path / "store"))
    yield store.connection()
    store.close()


def _tables(connection: Connection) -> list[str]:
    rows = connection.rows("SELECT name FROM system.tables WHERE database = currentDatabase() ORDER BY name")
    return [name for (name,) in rows]


def _columns(connection: Connection, table: str) -> list[Column]:
    sql = "SELECT name, type FROM system.columns WHERE database = currentDatabase() AND table = {table:String}"
    return [Column(name, type_, None) for name, type_ in connection.rows(sql, {"table": table})]


def _write(connection: Connection, table: str, **values: Any) -> None:
    """One row: the columns given, and the engine's defaults in the others."""
    given = [column for column in _columns(connection, table) if column.name in values]
    assert len(given) == len(values), (table, values)
    connection.insert(table, given, [[values[column.name] for column in given]])


def _name_everywhere(connection: Connection, field: str, person: str, trace: int) -> None:
    """One row in every table that names the person in every column that can hold a text."""
    for table in _tables(connection):
        values: dict[str, Any] = {}
        for name, type_, _ in _columns(connection, table):
            if type_ in {"String", "LowCardinality(String)"}:
                values[name] = person
            elif type_ in {"FixedString(16)", "FixedString(8)"}:
                values[name] = trace.to_bytes(int(type_[12:-1]), "big")
            elif type_.startswith("Array(LowCardinality(String"):
                values[name] = [person]
            elif type_ == "Date":  # of today: the engine itself drops old rows of some tables
                values[name] = int(time.time()) // 86_400
            elif type_.startswith("Map("):
                values[name] = {NAMING_ATTRIBUTE[field]: person}
        if "project" in values:
            values["project"] = "default"
        if table == "alerts":
            values["body"] = json.dumps({"group": person, "snapshot": {"group_by": field}})
        if table == "alert_remarks":
            values["body"] = json.dumps({"group": {field: person}})
        _write(connection, table, **values)


def _naming(connection: Connection, person: str) -> list[str]:
    """The tables with a stored row that has the person anywhere, those apart that are left alone for a reason."""
    found: list[str] = []
    for table in _tables(connection):
        left_alone = table in TABLES and not TABLES[table].forgotten and TABLES[table].why
        sql = f"SELECT count() FROM {table} WHERE position(formatRow('JSONEachRow', *), {{person:String}}) > 0"
        if not left_alone and connection.rows(sql, {"person": person}) != [(0,)]:
            found.append(table)
    return found


def _forget(connection: Connection, field: str, person: str) -> deletion.Deletion:
    asked = deletion.request(connection, "default", field, person, datetime.now(UTC))
    return deletion.carry_out(connection, asked)


def test_every_table_says_how_it_is_kept_and_forgotten(connection: Connection) -> None:
    """Each table of the schema is in the list, dropped by day if it has days, and reached by deletions or excused."""
    assert sorted(TABLES) == _tables(connection)
    for name, table in TABLES.items():
        assert bool(table.forgotten) != bool(table.why), name
    by_day = "SELECT name FROM system.tables WHERE database = currentDatabase() AND partition_key LIKE '(project, %'"
    assert sorted(DATED_TABLES) == sorted(name for (name,) in connection.rows(by_day))
    for name in DATED_TABLES:
        assert f"ALTER TABLE {name} DROP PARTITION" in statement(f"drop_{name}")


@pytest.mark.parametrize("field", deletion.FIELDS)
def test_the_deleted_are_in_no_table(connection: Connection, field: str) -> None:
    """Rows in every table name one person, and another: the one deleted is nowhere any more, the other everywhere."""
    for trace, person in enumerate((BOB, ANN), start=1):
        _name_everywhere(connection, field, person, trace)
    everywhere = _naming(connection, BOB)
    assert set(everywhere) == {name for name, table in TABLES.items() if table.forgotten}
    done = _forget(connection, field, BOB)
    assert _naming(connection, BOB) == []
    assert done.finished_at is not None
    assert (done.runs, done.spans, done.contents, done.log_events, done.metric_points, done.verdicts) == (1,) * 6
    assert _naming(connection, ANN) == everywhere


def test_a_table_that_is_forgotten_is_noticed(connection: Connection) -> None:
    """A table of which deletions know nothing keeps the person, and the search of these tests says so."""
    connection.run("CREATE TABLE notes (project String, author String) ENGINE = MergeTree ORDER BY project")
    _name_everywhere(connection, "user", BOB, 1)
    _forget(connection, "user", BOB)
    assert _naming(connection, BOB) == ["notes"]


def test_what_names_a_user_apart_from_their_spans_goes_too(connection: Connection) -> None:
    """Events in logs, points and verdicts that name a user go where no span does; shared contents stay."""
    trace, other = b"\x01" * 16, b"\x02" * 16
    for content in (1, 2):
        _write(connection, "contents", project="default", trace_id=trace, hash=content, body=f"content {content}")
    named = {"project": "default", "trace_id": trace, "name": "user_prompt"}
    _write(connection, "log_events", **named, span_id=b"no span.", user_id=BOB, content_hashes=[1, 2])
    _write(connection, "log_events", **named, span_id=b"no span.", hash=2, attributes={"user.email": BOB})
    _write(connection, "log_events", **named, span_id=b"another.", user_id=ANN, content_hashes=[2])
    _write(connection, "metric_points", project="default", metric="m", attributes={"user.id": BOB})
    _write(connection, "metric_points", project="default", metric="m", series=2, attributes={"user.id": ANN})
    _write(connection, "verdicts", project="default", run_id="of ann", name="n", author=BOB)
    # The span of this run names nobody; an event in its logs does.
    _write(connection, "spans", project="default", trace_id=other, span_id=b"a span..", run_id="r", content_hashes=[3])
    _write(connection, "contents", project="default", trace_id=other, hash=3, body="what bob asked")
    _write(connection, "log_events", project="default", trace_id=other, span_id=b"a span..", user_id=BOB)
    done = _forget(connection, "user", BOB)
    assert _naming(connection, BOB) == []
    assert (done.runs, done.spans, done.contents, done.log_events) == (1, 1, 2, 3)
    assert (done.metric_points, done.verdicts) == (1, 1)
    assert connection.rows("SELECT body FROM contents") == [("content 2",)]
    assert connection.rows("SELECT user_id FROM log_events") == [(ANN,)]
    assert connection.rows("SELECT count() FROM spans") == [(0,)]


def test_log_events_of_others_in_the_same_trace_stay(connection: Connection) -> None:
    """Of a trace with runs of two customers, only the deleted one's log events and contents go."""
    trace = b"\x01" * 16
    for span, run_id, customer in ((b"11111111", "one", "acme"), (b"22222222", "two", "zeta")):
        span_of = {"project": "default", "trace_id": trace, "span_id": span}
        _write(connection, "spans", **span_of, run_id=run_id, customer_id=customer)
        _write(connection, "log_events", **span_of, name=customer, content_hashes=[int(span[:1]), 9])
    for content in (1, 2, 9):
        _write(connection, "contents", project="default", trace_id=trace, hash=content)
    done = _forget(connection, "customer", "acme")
    assert (done.runs, done.log_events, done.contents) == (1, 1, 1)
    assert connection.rows("SELECT name FROM log_events") == [("zeta",)]
    assert connection.rows("SELECT hash FROM contents ORDER BY hash") == [(2,), (9,)]


def test_logs_points_and_verdicts_grow_old(connection: Connection) -> None:
    """Log events go with the content, points and verdicts with the rest, each project by its own days."""
    for days_ago in (1, 5, 20):
        at_ns = int(datetime(2026, 3, 31 - days_ago, 12, tzinfo=UTC).timestamp()) * NS
        for project in ("default", "law"):
            _write(connection, "log_events", project=project, time=at_ns)
            _write(connection, "metric_points", project=project, time=at_ns)
            _write(connection, "verdicts", project=project, time=at_ns, run_id=f"{days_ago}")
    policy = RetentionPolicy(Days(content=3, everything=10), {"law": Days(30, 40)})
    sweep(connection, policy, TODAY)
    assert sweep_verdicts(connection, policy, TODAY) == ["default"]
    kept = {
        table: connection.rows(f"SELECT project, count() FROM {table} GROUP BY project ORDER BY project")
        for table in ("log_events", "metric_points", "verdicts")
    }
    assert kept == {
        "log_events": [("default", 1), ("law", 3)],
        "metric_points": [("default", 2), ("law", 3)],
        "verdicts": [("default", 2), ("law", 3)],
    }
