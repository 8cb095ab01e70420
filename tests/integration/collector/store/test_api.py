"""The read routes over HTTP, and what all routes refuse, on a real store."""

import base64
import csv
import io
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fastapi.testclient import TestClient

from loopwatch_collector.queries.catalogue import catalogue
from loopwatch_collector.store.store import Store
from tests.integration.collector.store.conftest import make_fleet, write_rows
from tests.integration.collector.store.routes import ADMIN, INGEST, OTHER, READ, routes
from tests.migrated_store import migrated_store

RANGE = "from=2026-09-30T00:00:00Z&to=2026-10-02T00:00:00Z"


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """The routes on a store with the hand-worked fleet, which these tests leave as it is."""
    store = Store.open(migrated_store(tmp_path_factory.mktemp("read") / "store"))
    write_rows(store, make_fleet())
    with routes(store) as client:
        yield client
    store.close()


def test_runs_queries_fields_and_prices_answer_in_their_shapes(api: TestClient) -> None:
    """Each read route answers what its contract says, and pages and filters reach the store."""
    page = api.get(f"/api/v1/runs?{RANGE}&limit=1&outcome=escalated", headers=READ).json()
    assert [run["run_id"] for run in page["runs"]] == ["run-escalated"]
    assert page["runs"][0]["escalation_priority"] == "high"
    run = api.get("/api/v1/runs/run-completed", headers=READ).json()
    assert (run["cost_usd"], run["models"], run["child_runs"]) == (0.0031, ["haiku", "opus"], [])
    spans = api.get("/api/v1/runs/run-completed/spans", headers=READ).json()["spans"]
    assert [span["counted"] for span in spans if span["kind"] == "model_call"].count(True) == 2
    assert {query["name"] for query in api.get("/api/v1/queries", headers=READ).json()["queries"]} == set(catalogue())
    answer = api.get(f"/api/v1/queries/cost_by?{RANGE}&dimension=agent&agent=resolver", headers=READ).json()
    assert answer["columns"][0] == {"name": "key", "unit": "text"}
    assert [row[:2] for row in answer["rows"]] == [["resolver", 2]]
    assert api.get("/api/v1/fields", headers=READ).json()["fields"][0]["name"] == "run"
    prices = api.get("/api/v1/prices?model=claude-opus-5-5&model=home-made", headers=INGEST).json()
    assert prices["prices"][0]["tiers"][0]["input"] == 4.0
    assert prices["unpriced"] == ["home-made"]


@pytest.mark.parametrize(("format_name", "start"), [("csv", b'"runs"'), ("parquet", b"PAR1"), ("arrow", b"\xff\xff")])
def test_queries_answer_in_other_formats(api: TestClient, format_name: str, start: bytes) -> None:
    """CSV, Parquet and Arrow come from the engine itself."""
    reply = api.get(f"/api/v1/queries/runs_summary?{RANGE}&format={format_name}", headers=READ)
    assert reply.status_code == 200
    assert reply.content.startswith(start)


def test_wrong_requests_are_refused_with_what_to_do(api: TestClient) -> None:
    """Filters, ranges, formats and names that are wrong are 4xx with a code and, for filters, the place."""
    faulty = api.get(f"/api/v1/runs?{RANGE}&q=agnt=x", headers=READ)
    assert (faulty.status_code, faulty.json()["error"]["position"]) == (400, 0)
    assert faulty.json()["error"]["suggestion"] == "agent"
    for path, status in (
        ("/api/v1/runs?from=2026-10-02&to=2026-10-01", 400),
        ("/api/v1/runs?from=yesterday&to=now", 400),
        (f"/api/v1/queries/runs_summary?{RANGE}&format=xml", 400),
        (f"/api/v1/queries/runs_sumary?{RANGE}", 404),
        ("/api/v1/runs/none", 404),
        *((f"/api/v1/queries/cost_outliers?{RANGE}&factor={factor}", 400) for factor in ("nan", "-1", "inf")),
    ):
        reply = api.get(path, headers=READ)
        assert (reply.status_code, bool(reply.json()["error"]["message"])) == (status, True), path


@pytest.mark.parametrize("offset", ["-5", "0", "1e3", " 7", "1" * 30])
def test_a_cursor_that_was_not_given_is_refused(api: TestClient, offset: str) -> None:
    """A place that no page could have named is the caller's fault, in every format, and never reaches the engine."""
    cursor = base64.urlsafe_b64encode(offset.encode()).decode().rstrip("=")
    for format_name in ("json", "csv"):
        path = f"/api/v1/queries/filter_values?{RANGE}&format={format_name}&cursor={cursor}"
        reply = api.get(path, headers=READ)
        assert (reply.status_code, reply.json()["error"]["code"]) == (400, "invalid_parameter")


@pytest.mark.parametrize("format_name", ["csv", "arrow", "parquet"])
def test_other_formats_say_that_there_is_more(api: TestClient, format_name: str) -> None:
    """A page that is not the last names the next in a header, the last has none: the pages hold every row once."""
    path = f"/api/v1/queries/filter_values?{RANGE}"
    wanted = api.get(path, headers=READ).json()["rows"]
    found: list[list[Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = api.get(f"{path}&limit=5&format={format_name}&cursor={cursor}", headers=READ)
        found += _rows_of(page.content, format_name)
        cursor = page.headers.get("loopwatch-next-cursor")
    assert len(wanted) % 5 == 0  # so that the last page is full, and yet the last
    assert found == wanted


def _rows_of(body: bytes, format_name: str) -> list[list[Any]]:
    if format_name == "csv":
        return [[*row[:-1], int(row[-1])] for row in list(csv.reader(io.StringIO(body.decode())))[1:]]
    table = pq.read_table(io.BytesIO(body)) if format_name == "parquet" else pa.ipc.open_stream(body).read_all()
    columns = [[_text(value) for value in column.to_pylist()] for column in table.columns]
    return [list(row) for row in zip(*columns, strict=True)]


def _text(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value


def test_misspelt_parameters_and_outcomes_are_refused_with_what_was_meant(api: TestClient) -> None:
    """A parameter or an outcome that does not exist is named, with the near one, instead of listing other runs."""
    for query, meant in (
        ("agnt=x", "did you mean 'agent'?"),
        ("outcome=complete", "did you mean 'completed'?"),
        ("q=outcome%20%3D%20complete", "did you mean 'completed'?"),
        ("q=outcome%20in%20(failed,fialed)", "did you mean 'failed'?"),
        ("q=outcome%20!%3D%20lost", "outcome is one of completed,"),
    ):
        reply = api.get(f"/api/v1/runs?{RANGE}&{query}", headers=READ)
        assert reply.status_code == 400, query
        assert meant in reply.json()["error"]["message"]
    part = api.get(f"/api/v1/runs?{RANGE}&q=outcome%20~%20complet", headers=READ)
    assert [run["run_id"] for run in part.json()["runs"]] == ["run-completed"]


def test_another_project_sees_nothing(api: TestClient) -> None:
    """A key's project is the only one its holder can read."""
    assert api.get(f"/api/v1/runs?{RANGE}", headers=OTHER).json()["runs"] == []
    assert api.get("/api/v1/runs/run-completed", headers=OTHER).status_code == 404
    assert api.get(f"/api/v1/queries/runs_summary?{RANGE}", headers=OTHER).json()["rows"][0][0] == 0


@pytest.mark.parametrize(
    "change",
    [{"thumb": "sideways"}, {"score": 1, "thumb": "up"}, {}, {"score": 1, "extra": 1}, {"score": 1, "name": ""}],
)
def test_verdicts_that_say_nothing_or_too_much_are_refused(api: TestClient, change: dict[str, Any]) -> None:
    """A verdict needs a name and exactly one way of saying what it says; unknown members are refused."""
    body = {"run_id": "run-completed", "name": "user_feedback", **change}
    assert api.post("/api/v1/verdicts", json=body, headers=INGEST).status_code == 422


def test_only_keys_that_may_write_give_verdicts(api: TestClient) -> None:
    """A reading key cannot judge, and a page of another site cannot make a browser do it."""
    body = {"run_id": "run-completed", "name": "user_feedback", "thumb": "up"}
    assert api.post("/api/v1/verdicts", json=body, headers=READ).status_code == 403
    foreign = {**ADMIN, "sec-fetch-site": "cross-site"}
    assert api.post("/api/v1/verdicts", json=body, headers=foreign).status_code == 403
