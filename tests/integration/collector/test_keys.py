"""Every route against every kind of key. The routes come from the application itself: a new one is tested too."""

import http.client
import json
import re
import time
import urllib.parse
from collections.abc import Generator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from fastapi.routing import iter_route_contexts

from loopwatch_collector.store.store import Store
from tests.chaos.load import Load, recent_midnight_ns
from tests.integration.collector.application import application
from tests.migrated_store import migrated_store
from tests.processes import ALL_TIME, Running, bare_collector, wait_for

# What needs no key says nothing about anybody's data. Everything else follows the rule of `_allowed`.
PUBLIC = {
    ("GET", "/healthz"), ("GET", "/readyz"), ("GET", "/metrics"),
    ("GET", "/docs"), ("GET", "/openapi.json"),
}  # fmt: skip
# A browser asks before it sends their media types to another site; routes that take any refuse foreign pages.
OTLP = {
    ("POST", path + slash)
    for path in ("/v1/traces", "/v1/logs", "/v1/metrics", "/api/public/otel/v1/traces")
    for slash in ("", "/")
}
INGEST = OTLP | {("POST", "/v1/events"), ("POST", "/api/v1/verdicts")}
READ_BY_AGENTS = {("GET", "/api/v1/prices"), ("GET", "/api/v1/breakers")}
ADMIN_READS = {
    ("GET", "/api/v1/deletions"), ("GET", "/api/v1/backups"), ("GET", "/api/v1/keys"),
    ("GET", "/api/v1/dead-letters"), ("GET", "/api/v1/dead-letters/{letter_id}"),
}  # fmt: skip
# Answers on a question: they change nothing.
READ_BY_POST = {("POST", "/api/v1/rules/test"), ("POST", "/api/v1/rules/check")}

_SECRETS = {
    (project, role): f"{project}-{role}-9f8e7d6c5b"
    for project in ("shop", "bank")
    for role in ("ingest", "read", "admin")
}
_WRONG = "guessed-0a1b2c3d4e"
_MARK = "shopsecret7"
_LETTER_BODY = b"\xff" + _MARK.encode()


class Answer(NamedTuple):
    """What came back."""

    status: int
    body: bytes


def _routes() -> list[tuple[str, str]]:
    """Method and path of each route of the application, which is assembled from parts that are never used."""
    return sorted(
        (method, str(route.path))
        for route in iter_route_contexts(application().routes)
        for method in route.methods or {"GET"}
        if method != "HEAD"  # Starlette's own of a GET
    )


ROUTES = _routes()


def _allowed(method: str, path: str) -> set[str]:
    """The roles a route is for: reading is for readers, what agents send for ingest, all else for admins."""
    if (method, path) in INGEST:
        return {"ingest", "admin"}
    if (method, path) in READ_BY_AGENTS:
        return {"ingest", "read", "admin"}
    if (method, path) in ADMIN_READS:
        return {"admin"}
    return {"read", "admin"} if method == "GET" or (method, path) in READ_BY_POST else {"admin"}


def _load() -> Load:
    return Load(31, recent_midnight_ns(time.time_ns()))


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Generator[Running]:
    """A collector with two projects; `shop` has a run, contents, a conversation and a dead letter, all marked."""
    folder = tmp_path_factory.mktemp("keys")
    store = Store.open(migrated_store(folder / "data" / "store"))
    store.insert_dead_letter("shop", "traces", time.time_ns(), f"refused for {_MARK}", _LETTER_BODY)
    store.close()
    keys = ",".join(f"{project}:{role}:{secret}" for (project, role), secret in _SECRETS.items())
    with bare_collector(folder, LOOPWATCH_KEYS=keys) as running:
        body = json.dumps(_trace()).encode()
        headers = {"content-type": "application/json"}
        assert _ask(running, "POST", "/v1/traces", _SECRETS["shop", "ingest"], body, headers).status == 200
        runs = f"/api/v1/runs?{urllib.parse.urlencode(ALL_TIME)}"
        wait_for(
            lambda: _MARK.encode() in _ask(running, "GET", runs, _SECRETS["shop", "read"]).body, "the run is stored"
        )
        yield running


def _trace() -> dict[str, Any]:
    trace_id, start_ns = _load().trace_id(0).hex(), _load().base_ns
    texts = {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": _MARK,
        "loopwatch.run.id": trace_id,
        "loopwatch.customer.id": _MARK,
        "gen_ai.conversation.id": _MARK,
        "user.id": _MARK,
        "deployment.environment.name": _MARK,
        "gen_ai.request.model": _MARK,
        "gen_ai.tool.name": _MARK,
        "gen_ai.input.messages": json.dumps([{"role": "user", "parts": [{"type": "text", "content": _MARK}]}]),
    }
    span = {
        "traceId": trace_id,
        "spanId": "00000000000000a1",
        "name": f"invoke_agent {_MARK}",
        "startTimeUnixNano": str(start_ns),
        "endTimeUnixNano": str(start_ns + 10**9),
        "attributes": [{"key": key, "value": {"stringValue": text}} for key, text in texts.items()],
    }
    resource = {"attributes": [{"key": "loopwatch.process.id", "value": {"stringValue": _MARK}}]}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [span]}]}]}


def _ask(
    running: Running, method: str, path: str, key: str | None, body: bytes = b"", headers: dict[str, str] | None = None
) -> Answer:
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(running.url).netloc, timeout=60)
    try:
        connection.request(
            method, path, body, {**({"authorization": f"Bearer {key}"} if key else {}), **(headers or {})}
        )
        reply = connection.getresponse()
        return Answer(reply.status, reply.read())
    finally:
        connection.close()


def _concrete(running: Running, path: str) -> list[str]:
    """Paths with the other project's real ids in their places; each named query, where that is the place."""
    if path == "/api/v1/queries/{name}":
        return [path.replace("{name}", query["name"]) for query in _queries(running)]
    ids = {"run_id": _load().trace_id(0).hex(), "letter_id": _letter_id(running), "table": "spans"}
    return [re.sub(r"\{(\w+)(:\w+)?\}", lambda place: ids.get(place[1], "unknown"), path)]


def _queries(running: Running) -> list[dict[str, Any]]:
    return json.loads(_ask(running, "GET", "/api/v1/queries", _SECRETS["shop", "read"]).body)["queries"]


def _letter_id(running: Running) -> str:
    letters = json.loads(_ask(running, "GET", "/api/v1/dead-letters", _SECRETS["shop", "admin"]).body)
    return letters["dead_letters"][0]["id"]


def _ranged(path: str) -> str:
    more = {"content": "true"} if path.endswith("/spans") else {}
    return f"{path}?{urllib.parse.urlencode({**ALL_TIME, **more})}"


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_route_lets_in_whom_it_is_for_and_nobody_else(kept: Running, method: str, path: str) -> None:
    """No key and a wrong one get 401, a role that does not reach 403 (401 of OTLP), whatever body they send."""
    asked = _concrete(kept, path)[0]
    answers = {key: _ask(kept, method, _ranged(asked), secret).status for key, secret in _kinds().items()}
    if (method, path) in PUBLIC:
        assert set(answers.values()) == {200}
        return
    assert (answers["none"], answers["wrong"]) == (401, 401)
    allowed = _allowed(method, path)
    for role in ("ingest", "read", "admin"):
        assert (answers[role] not in {401, 403}) == (role in allowed), f"{role}: {answers[role]}"
        assert role in allowed or answers[role] == (401 if (method, path) in OTLP else 403)


def test_otlp_says_which_role_is_missing(kept: Running) -> None:
    """OTLP knows no 403: a key that may only read, and one that may not import, are told so with 401."""
    headers = {"content-type": "application/json"}
    for role, more in (("read", {}), ("ingest", {"loopwatch-import": "true"})):
        answer = _ask(kept, "POST", "/v1/traces", _SECRETS["bank", role], b"{}", {**headers, **more})
        assert answer.status == 401
        assert f"this key has the role {role}; the request needs" in json.loads(answer.body)["message"]


def _kinds() -> dict[str, str | None]:
    # The keys of the project that has nothing: letting in is tried with them, so that nothing is changed or deleted.
    roles = {role: _SECRETS["bank", role] for role in ("ingest", "read", "admin")}
    return {"none": None, "wrong": _WRONG, **roles}


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_another_projects_data_is_never_in_an_answer(kept: Running, method: str, path: str) -> None:
    """An admin of `bank` who knows the ids of `shop` finds nothing of it, by any route or named query."""
    for asked in _concrete(kept, path):
        answer = _ask(kept, method, _ranged(asked), _SECRETS["bank", "admin"])
        assert _MARK.encode() not in answer.body, asked
        if "{run_id}" in path or "{letter_id}" in path:
            assert answer.status == 404, asked


def test_the_owner_sees_what_the_other_must_not(kept: Running) -> None:
    """The mark is really there to be found: the same questions answer the owner with it."""
    seen = [
        path
        for method, path in ROUTES
        if method == "GET"
        for asked in _concrete(kept, path)
        if _MARK.encode() in _ask(kept, method, _ranged(asked), _SECRETS["shop", "admin"]).body
    ]
    assert {"/api/v1/runs", "/api/v1/runs/{run_id}", "/api/v1/runs/{run_id}/spans", "/api/v1/queries/{name}"} <= set(
        seen
    )
    assert "/api/v1/dead-letters/{letter_id}" in seen


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
    ],
)
def test_pages_of_other_sites_change_nothing(kept: Running, headers: dict[str, str]) -> None:
    """Every route that changes state refuses a browser that another site sent, with an admin's key too."""
    for method, path in ROUTES:
        if method in {"GET", "HEAD"} or (method, path) in READ_BY_POST | OTLP:
            continue
        sent = {**headers, "content-type": "application/json"}
        answer = _ask(kept, method, _concrete(kept, path)[0], _SECRETS["bank", "admin"], b"{}", sent)
        assert answer.status == 403, f"{method} {path}: {answer}"


def test_keys_are_never_logged(kept: Running) -> None:
    """Right, wrong and misplaced keys leave no trace in what the process writes."""
    for secret in (*_SECRETS.values(), _WRONG):
        for header in (f"Bearer {secret}", f"Basic {secret}", secret):
            _ask(kept, "GET", f"/api/v1/runs?api_key={secret}", None, headers={"authorization": header})
        _ask(kept, "POST", f"/v1/traces?key={secret}", secret, b"\xff", {"content-type": "application/x-protobuf"})
    said = kept.log.read_text()
    assert [secret for secret in (*_SECRETS.values(), _WRONG) if secret in said] == []


def test_without_keys_a_rebound_name_is_refused(tmp_path: Path) -> None:
    """A page whose name was bent to this machine gets nothing; localhost and the addresses of loopback are answered."""
    with bare_collector(tmp_path) as running:
        port = running.url.rpartition(":")[2]
        asked = f"/api/v1/runs?{urllib.parse.urlencode(ALL_TIME)}"
        for host in (f"localhost:{port}", f"127.0.0.1:{port}", f"[::1]:{port}"):
            assert _ask(running, "GET", asked, None, headers={"host": host}).status == 200
        for host in (f"evil.example:{port}", "localhost.evil.example", "[::1"):
            answer = _ask(running, "GET", asked, None, headers={"host": host})
            assert answer.status == 403, host
            assert b"LOOPWATCH_KEYS" in answer.body
