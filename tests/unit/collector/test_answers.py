"""How faults of the store are answered: a sentence of ours to the caller, the engine's text to the log."""

import logging

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from loopwatch_collector.answers import add_answers
from loopwatch_collector.errors import CollectorError
from loopwatch_collector.store.errors import QueryTooLarge, StatementFailed, StoreFull, StoreUnavailable

ENGINE = "Code: 349. DB::Exception: Cannot convert NULL value to non-Nullable type: while executing 'FUNCTION CAST'"


def _client(fault: CollectorError) -> TestClient:
    app = FastAPI()
    add_answers(app)

    async def fail() -> None:
        raise fault

    app.add_api_route("/api/v1/queries/releases", fail)
    app.add_api_route("/v1/events", fail, methods=["POST"])
    return TestClient(app)


@pytest.mark.parametrize(
    ("fault", "status", "retry_after"),
    [
        (StatementFailed(ENGINE).from_engine(), 500, None),
        (QueryTooLarge(ENGINE).from_engine(), 422, None),
        (StoreUnavailable(ENGINE).from_engine(), 503, "2"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_engines_text_goes_into_the_log_only(
    fault: CollectorError, status: int, retry_after: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    """A caller gets a short sentence, and a time to come back only where that helps; the log has the engine's words."""
    with caplog.at_level(logging.WARNING):
        reply = _client(fault).get("/api/v1/queries/releases")
    assert (reply.status_code, reply.headers.get("retry-after")) == (status, retry_after)
    message = reply.json()["error"]["message"]
    assert "DB::Exception" not in message
    assert 10 < len(message) < 160
    assert ENGINE in caplog.text


def test_where_data_is_sent_a_fault_of_ours_is_503() -> None:
    """Senders drop what is answered with 500: a statement that fails while data is taken asks them to come back."""
    reply = _client(StatementFailed(ENGINE).from_engine()).post("/v1/events")
    assert (reply.status_code, reply.headers["retry-after"]) == (503, "2")
    assert "DB::Exception" not in reply.text


def test_our_own_sentences_are_told_as_they_are() -> None:
    """What the store says in its own words reaches the caller."""
    reply = _client(StoreFull("there is not enough space on the store's disk")).get("/api/v1/queries/releases")
    assert reply.json()["error"]["message"] == "there is not enough space on the store's disk"
