"""Retention, deletion, backup and restore on real collectors with real data."""

import json
import shutil
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from loopwatch_collector.store.store import Store
from tests.processes import Running, bare_collector, get, loopwatch, query, wait_for, wait_for_runs

SUPPORT = Path(__file__).parents[3] / "data" / "chat" / "support.json"
FIELDS = ["--id", "task_id", "--id", "trial", "--outcome", "reward", "--customer", "customer"]


KEEP = {"LOOPWATCH_RETENTION_DAYS": "36500", "LOOPWATCH_CONTENT_RETENTION_DAYS": "36500"}


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A collector with twelve runs, for what changes nothing."""
    with bare_collector(tmp_path_factory.mktemp("imported"), **KEEP) as receiver:
        _import(receiver)
        wait_for_runs(receiver.url, 12)
        yield receiver


def _import(receiver: Running, *options: str, start: str = "2026-01-31T09:00:00Z") -> None:
    done = loopwatch("import", str(SUPPORT), *FIELDS, "--start", start, *options, "--endpoint", receiver.url)
    assert done.returncode == 0, done.stderr


def _customers(receiver: Running) -> dict[str, int]:
    return {row["key"]: row["runs"] for row in query(receiver.url, "cost_by", dimension="customer")}


def _deletions(receiver: Running) -> list[dict[str, Any]]:
    return get(f"{receiver.url}/api/v1/deletions")["deletions"]


def test_deleted_customer_is_gone_and_proved_after_a_restart(tmp_path: Path) -> None:
    """Deleting one customer leaves the others whole; after a restart a count proves it, and the spans are gone."""
    with bare_collector(tmp_path, **KEEP) as receiver:
        _import(receiver)
        wait_for_runs(receiver.url, 12)
        assert _customers(receiver) == {"acme": 5, "birch": 3, "cedar": 4}
        done = loopwatch("delete", "--customer", "acme", "--json", "--endpoint", receiver.url)
        assert done.returncode == 0, done.stderr
        deleted = json.loads(done.stdout)
        # By hand: 5 runs, 14 iterations with a model call each, 8 tool calls.
        assert (deleted["runs"], deleted["spans"]) == (5, 5 + 2 * 14 + 8)
        assert deleted["contents"] > 0
        assert _customers(receiver) == {"birch": 3, "cedar": 4}
    with bare_collector(tmp_path, **KEEP) as receiver:
        (proved,) = wait_for(lambda: [one for one in _deletions(receiver) if one["verified_at"]] or None, "the proof")
        assert proved["value"] == "acme"
        assert _customers(receiver) == {"birch": 3, "cedar": 4}


def _attribute(key: str, value: str) -> dict[str, Any]:
    return {"key": key, "value": {"stringValue": value}}


def _send(receiver: Running, path: str, body: dict[str, Any]) -> dict[str, Any]:
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(f"{receiver.url}{path}", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=30) as reply:
        return json.load(reply)


def _send_everything_of(receiver: Running, user: str, trace_id: str) -> None:
    """A run, an event in its logs, one of a span that never comes, a point, and a verdict on another's run."""
    at = str(time.time_ns())
    resource = {"attributes": [_attribute("service.name", "cc")]}
    span = {"traceId": trace_id, "spanId": "a" * 16, "name": "invoke_agent q", "startTimeUnixNano": at,
            "endTimeUnixNano": at, "attributes": [_attribute("gen_ai.operation.name", "invoke_agent"),
                                                  _attribute("user.id", user)]}  # fmt: skip
    _send(receiver, "/v1/traces", {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [span]}]}]})
    prompt = [_attribute("event.name", "gen_ai.user_prompt"), _attribute("prompt", f"a prompt of {user}")]
    records = [
        {"timeUnixNano": at, "traceId": trace_id, "spanId": "a" * 16, "attributes": prompt},
        {
            "timeUnixNano": at,
            "traceId": "f" * 32,
            "spanId": "b" * 16,
            "attributes": [*prompt, _attribute("user.id", user)],
        },
    ]
    _send(receiver, "/v1/logs", {"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": records}]}]})
    point = {"timeUnixNano": at, "asInt": "5", "attributes": [_attribute("type", "input"), _attribute("user.id", user)]}
    metric = {"name": "claude_code.token.usage", "sum": {"aggregationTemporality": 1, "dataPoints": [point]}}
    _send(
        receiver, "/v1/metrics", {"resourceMetrics": [{"resource": resource, "scopeMetrics": [{"metrics": [metric]}]}]}
    )
    _send(receiver, "/api/v1/verdicts", {"run_id": "of-another", "name": "feedback", "author": user, "thumb": "up"})


def test_a_deleted_user_is_gone_from_logs_metrics_and_verdicts_too(tmp_path: Path) -> None:
    """Whatever a user sent or said, by whichever signal, is in no table after the deletion; another's is all there."""
    with bare_collector(tmp_path) as receiver:
        for user, trace_id in (("bob", "1" * 32), ("ann", "2" * 32)):
            _send_everything_of(receiver, user, trace_id)
        done = loopwatch("delete", "--user", "bob", "--json", "--endpoint", receiver.url)
        assert done.returncode == 0, done.stderr
        deleted = json.loads(done.stdout)
        counted = ("runs", "spans", "log_events", "metric_points", "verdicts")
        assert [deleted[name] for name in counted] == [1, 1, 2, 1, 1]
    store = Store.open(f"chdb://{tmp_path}/data/store")
    try:
        for table, rows in (("spans", 1), ("log_events", 2), ("metric_points", 1), ("verdicts", 1)):
            sql = f"SELECT countIf(position(formatRow('JSONEachRow', *), 'bob') > 0), count() FROM {table}"
            assert store.connection().rows(sql) == [(0, rows)], table
    finally:
        store.close()


def test_live_times_are_judged_by_the_projects_own_days(tmp_path: Path) -> None:
    """A live span or event as old as its own project keeps is taken, though other projects keep less."""
    old_ms = int(time.time() * 1000) - 200 * 86_400_000
    with bare_collector(
        tmp_path, LOOPWATCH_RETENTION_DAYS="90", LOOPWATCH_PROJECT_RETENTION="default:300:300"
    ) as receiver:
        event = {"traceId": "old", "timestamp": old_ms, "eventType": "response", "data": "done"}
        assert _send(receiver, "/v1/events", event)["accepted"] == 1
        at = str(old_ms * 1_000_000)
        span = {"traceId": "1" * 32, "spanId": "a" * 16, "name": "q", "startTimeUnixNano": at, "endTimeUnixNano": at}
        assert _send(receiver, "/v1/traces", {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}) == {}
        wait_for_runs(receiver.url, 2)


def test_unknown_field_is_refused(imported: Running) -> None:
    """A field that runs do not belong to is refused with the ones that exist."""
    done = loopwatch("delete", "--user", "", "--endpoint", imported.url)
    assert done.returncode == 1
    assert "the user is empty" in done.stderr


def test_old_days_are_dropped_content_first(tmp_path: Path) -> None:
    """A restart with short retention drops the content of old runs, a shorter one drops the runs themselves."""
    with bare_collector(tmp_path, **KEEP) as receiver:
        _import(receiver, start="2020-01-31T09:00:00Z")
        wait_for_runs(receiver.url, 12)
        run_id = _any_run(receiver)
        assert _contents(receiver, run_id)
    with bare_collector(tmp_path, LOOPWATCH_RETENTION_DAYS="36500", LOOPWATCH_CONTENT_RETENTION_DAYS="1") as receiver:
        wait_for(lambda: not _contents(receiver, run_id) or None, "the content is dropped")
        assert query(receiver.url, "runs_summary")[0]["runs"] == 12
    with bare_collector(tmp_path, LOOPWATCH_PROJECT_RETENTION="default:1:1") as receiver:
        wait_for_runs(receiver.url, 0)


def _any_run(receiver: Running) -> str:
    runs = get(f"{receiver.url}/api/v1/runs", **{"from": "2020-01-01", "to": "2100-01-01", "limit": 1})["runs"]
    return runs[0]["run_id"]


def _contents(receiver: Running, run_id: str) -> dict[str, str]:
    return get(f"{receiver.url}/api/v1/runs/{run_id}/spans", content="true")["contents"]


@pytest.fixture(scope="module")
def backups(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, dict[str, Any]]]:
    """The backups of a store that is gone, one whole and one on top of it, and what was answered as each was taken."""
    folder = tmp_path_factory.mktemp("backups")
    answers: dict[str, dict[str, Any]] = {}
    with bare_collector(folder / "old", **KEEP, LOOPWATCH_BACKUP_DIR=str(folder / "kept")) as receiver:
        for name, agent, options in (("whole", "first", []), ("incremental", "second", ["--incremental"])):
            _import(receiver, "--agent", agent)
            wait_for_runs(receiver.url, 12 * (1 + len(answers)))
            done = loopwatch("backup", "--name", name, *options, "--endpoint", receiver.url)
            assert done.returncode == 0, done.stderr
            answers[name] = _answers(receiver)
    shutil.rmtree(folder / "old")
    return folder / "kept", answers


@pytest.mark.parametrize("name", ["whole", "incremental"])
def test_backup_of_a_running_store_restores_equal(
    tmp_path: Path, backups: tuple[Path, dict[str, dict[str, Any]]], name: str
) -> None:
    """A backup taken while the collector runs, whole or on an earlier one, restores to the same answers elsewhere."""
    kept, answers = backups
    restored = loopwatch("restore", name, "--from", str(kept), "--data-dir", str(tmp_path / "data"))
    assert restored.returncode == 0, restored.stderr
    with bare_collector(tmp_path, **KEEP, LOOPWATCH_BACKUP_DIR=str(kept)) as receiver:
        assert _answers(receiver) == answers[name]


def _answers(receiver: Running) -> dict[str, Any]:
    answers = {name: query(receiver.url, name) for name in ("runs_summary", "tool_summary", "iterations_summary")}
    return {**answers, "contents": _contents(receiver, _any_run(receiver))}


def test_restore_never_overwrites(tmp_path: Path) -> None:
    """A restore over a store, of a backup that is not there, or of one whose base is gone, is one sentence."""
    kept = tmp_path / "kept"
    with bare_collector(tmp_path, LOOPWATCH_BACKUP_DIR=str(kept)) as receiver:
        for words in (["--name", "one"], ["--name", "two", "--incremental"]):
            done = loopwatch("backup", *words, "--endpoint", receiver.url)
            assert done.returncode == 0, done.stderr
        taken = loopwatch("backup", "--name", "one", "--endpoint", receiver.url)
        assert (taken.returncode, "already a backup 'one'" in taken.stderr) == (1, True)
        unsafe = loopwatch("backup", "--name", "../one", "--endpoint", receiver.url)
        assert (unsafe.returncode, "is no name for a backup" in unsafe.stderr) == (1, True)
    over = loopwatch("restore", "one", "--from", str(kept), "--data-dir", str(tmp_path / "data"))
    assert (over.returncode, "already a store" in over.stderr) == (1, True)
    shutil.rmtree(kept / "one")
    for name in ("two", "three"):
        lost = loopwatch("restore", name, "--from", str(kept), "--data-dir", str(tmp_path / "empty"))
        assert (lost.returncode, "there is no backup" in lost.stderr) == (1, True)
        assert not (tmp_path / "empty").exists()


def test_export_holds_every_row_of_the_range_and_no_other(imported: Running, tmp_path: Path) -> None:
    """Exported Parquet has the runs, spans and contents of the range, with ids as text and costs as decimals."""
    tables = {table: _export(imported, tmp_path, table, "2026-01-31", "2026-02-01") for table in ("runs", "spans")}
    contents = _export(imported, tmp_path, "contents", "2026-01-31", "2026-02-01")
    # Runs start a minute apart from 09:00: the first five are in this range.
    few = _export(imported, tmp_path, "runs", "2026-01-31T09:00:00Z", "2026-01-31T09:05:00Z")
    none = _export(imported, tmp_path, "spans", "2025-01-31", "2025-02-01")
    assert tables["runs"].num_rows == 12
    assert tables["spans"].num_rows == 12 + 2 * 31 + 19
    assert {len(text) for text in tables["spans"]["trace_id"].to_pylist()} == {32}
    assert set(contents["trace_id"].to_pylist()) == set(tables["runs"]["trace_id"].to_pylist())
    assert few.num_rows == 5
    assert (none.num_rows, none.schema) == (0, tables["spans"].schema)


def _export(receiver: Running, folder: Path, table: str, from_: str, to: str) -> Any:
    file = folder / f"{table}.parquet"
    done = loopwatch("export", table, "--from", from_, "--to", to, "--out", str(file), "--endpoint", receiver.url)
    assert done.returncode == 0, done.stderr
    return pq.read_table(file)
