"""Verdicts over HTTP, on a real store."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from loopwatch_collector.store.store import Store
from tests.integration.collector.store.routes import ADMIN, INGEST, READ, routes

RANGE = "from=2026-09-30T00:00:00Z&to=2026-10-02T00:00:00Z"


@pytest.fixture
def judging(
    store: Store, fleet: list[list[Any]], write: Callable[[Store, list[list[Any]]], None]
) -> Iterator[TestClient]:
    """The routes on a store of its own with the hand-worked fleet."""
    write(store, fleet)
    with routes(store) as client:
        yield client


def test_a_verdict_says_whether_its_run_is_known(
    judging: TestClient, store: Store, span: Callable[..., list[Any]], write: Callable[[Store, list[list[Any]]], None]
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
        reply = judging.post("/api/v1/verdicts", json={"run_id": given, "name": "n", "thumb": "up"}, headers=INGEST)
        assert (reply.status_code, reply.json()["run_id"], reply.json()["run_known"]) == (201, kept, is_known)
        found = judging.get(f"/api/v1/verdicts?run_id={given}", headers=READ).json()["verdicts"]
        assert [verdict["run_id"] for verdict in found] == [kept]


def test_the_last_verdict_of_an_author_counts(judging: TestClient) -> None:
    """Thumbs, scores, labels and comments are kept long after the run; the last per run, name and author counts."""
    base = {"run_id": "run-completed", "name": "user_feedback", "author": "ann"}
    assert judging.post("/api/v1/verdicts", json={**base, "thumb": "down"}, headers=INGEST).status_code == 201
    assert (
        judging.post(
            "/api/v1/verdicts", json={**base, "thumb": "up", "comment": "it worked"}, headers=ADMIN
        ).status_code
        == 201
    )
    judging.post("/api/v1/verdicts", json={**base, "author": "judge", "score": 0.5}, headers=INGEST)
    found = judging.get("/api/v1/verdicts?run_id=run-completed", headers=READ).json()["verdicts"]
    assert sorted((verdict["author"], verdict["score"], verdict["label"], verdict["comment"]) for verdict in found) == [
        ("ann", 1.0, "up", "it worked"),
        ("judge", 0.5, "", ""),
    ]
    summary = judging.get(f"/api/v1/queries/verdict_summary?{RANGE}", headers=READ).json()["rows"]
    assert summary[0][:5] == ["user_feedback", 2, 1, 0.25, 0.75]
