"""The read routes and verdicts over HTTP, on a real store."""

import base64
import csv
import io
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from fastapi.testclient import TestClient

from loopwatch_collector.api.routes import router
from loopwatch_collector.auth import Keyring
from loopwatch_collector.errors import CollectorError
from loopwatch_collector.prices.price import Pricer
from loopwatch_collector.queries.catalogue import catalogue
from loopwatch_collector.settings import Key
from loopwatch_collector.store.store import Store

RANGE = "from=2026-09-30T00:00:00Z&to=2026-10-02T00:00:00Z"
INGEST, READ, ADMIN, OTHER = ({"authorization": f"Bearer {name}"} for name in ("ingest", "read", "admin", "other"))


@pytest.fixture
def api(store: Store, fleet: list[list[Any]], write: Callable[[Store, list[list[Any]]], None]) -> Iterator[TestClient]:
    """The routes on a store with the hand-worked fleet."""
    write(store, fleet)
    app = FastAPI()
    app.include_router(router)
    app.state.store, app.state.pricer = store, Pricer()
    app.state.keyring = Keyring(
        [Key("default", role, role) for role in ("ingest", "read", "admin")] + [Key("elsewhere", "read", "other")]
    )
    app.add_exception_handler(CollectorError, _answer)
    with TestClient(app) as client:
        yield client


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


def test_a_verdict_says_whether_its_run_is_known(
    api: TestClient, store: Store, span: Callable[..., list[Any]], write: Callable[[Store, list[list[Any]]], None]
) -> None:
    """A hexadecimal id in upper case means the run of that trace; a verdict on an unknown run is kept, and says so."""
    stored, shouted = "ab" * 16, "CD" * 16
    write(store, [span(1, run_id=stored, kind="run"), span(2, run_id=shouted, kind="run")])
    for given, kept, is_known in (
        (stored.upper(), stored, True),
        (shouted, shouted, True),
        ("EF" * 16, "ef" * 16, False),
        ("Nope", "Nope", False),
    ):
        reply = api.post("/api/v1/verdicts", json={"run_id": given, "name": "n", "thumb": "up"}, headers=INGEST)
        assert (reply.status_code, reply.json()["run_id"], reply.json()["run_known"]) == (201, kept, is_known)
        found = api.get(f"/api/v1/verdicts?run_id={given}", headers=READ).json()["verdicts"]
        assert [verdict["run_id"] for verdict in found] == [kept]


def test_another_project_sees_nothing(api: TestClient) -> None:
    """A key's project is the only one its holder can read."""
    assert api.get(f"/api/v1/runs?{RANGE}", headers=OTHER).json()["runs"] == []
    assert api.get("/api/v1/runs/run-completed", headers=OTHER).status_code == 404
    assert api.get(f"/api/v1/queries/runs_summary?{RANGE}", headers=OTHER).json()["rows"][0][0] == 0


def test_the_last_verdict_of_an_author_counts(api: TestClient) -> None:
    """Thumbs, scores, labels and comments are kept long after the run; the last per run, name and author counts."""
    base = {"run_id": "run-completed", "name": "user_feedback", "author": "ann"}
    assert api.post("/api/v1/verdicts", json={**base, "thumb": "down"}, headers=INGEST).status_code == 201
    assert (
        api.post("/api/v1/verdicts", json={**base, "thumb": "up", "comment": "it worked"}, headers=ADMIN).status_code
        == 201
    )
    api.post("/api/v1/verdicts", json={**base, "author": "judge", "score": 0.5}, headers=INGEST)
    found = api.get("/api/v1/verdicts?run_id=run-completed", headers=READ).json()["verdicts"]
    assert sorted((verdict["author"], verdict["score"], verdict["label"], verdict["comment"]) for verdict in found) == [
        ("ann", 1.0, "up", "it worked"),
        ("judge", 0.5, "", ""),
    ]
    summary = api.get(f"/api/v1/queries/verdict_summary?{RANGE}", headers=READ).json()["rows"]
    assert summary[0][:5] == ["user_feedback", 2, 1, 0.25, 0.75]


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


async def _answer(request: Request, error: Exception) -> Response:
    assert isinstance(error, CollectorError)
    return JSONResponse({"error": {"code": error.code, "message": str(error), **error.details}}, error.status)
