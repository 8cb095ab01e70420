"""What a key was used for: counted over HTTP and gRPC, shown to the admins of its project, the key itself to nobody."""

import http.client
import json
import socket
import time
import urllib.parse
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from loopwatch_collector.key_use import fingerprint
from tests.processes import Running, bare_collector

KEYS = {
    ("shop", "ingest"): "shop-in-51d0c2",
    ("shop", "read"): "shop-read-51d0c2",
    ("shop", "admin"): "shop-admin-51d0c2",
    ("bank", "ingest"): "bank-in-51d0c2",
    ("bank", "admin"): "bank-admin-51d0c2",
}
_TRACES = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
_PROTOBUF = "application/x-protobuf"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A collector whose keys were used in ways counted by hand."""
    port = _free_port()
    keys = ",".join(f"{project}:{role}:{secret}" for (project, role), secret in KEYS.items())
    env = {"LOOPWATCH_KEYS": keys, "LOOPWATCH_GRPC_PORT": str(port)}
    with bare_collector(tmp_path_factory.mktemp("key-use"), **env) as running:
        assert _ask(running, "POST", "/v1/traces", KEYS["shop", "ingest"], _spans(good=3, old=2))[0] == 200
        assert _ask(running, "POST", "/v1/traces", KEYS["shop", "ingest"], b"\xff")[0] == 400
        assert _ask(running, "GET", "/api/v1/runs", KEYS["shop", "ingest"])[0] == 403
        assert _ask(running, "GET", "/api/v1/runs/unknown", KEYS["shop", "read"])[0] == 404
        for wrong in (None, "guessed-7", "guessed-8"):
            assert _ask(running, "GET", "/api/v1/system", wrong)[0] == 401
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            export = channel.unary_unary(_TRACES)
            metadata = [("authorization", f"Bearer {KEYS['bank', 'ingest']}")]
            export(_spans(good=4, old=0), timeout=60, metadata=metadata)
            with pytest.raises(grpc.RpcError):
                export(b"\xff", timeout=60, metadata=metadata)
        yield running


def _spans(*, good: int, old: int) -> bytes:
    request = ExportTraceServiceRequest()
    spans = request.resource_spans.add().scope_spans.add().spans
    for number in range(good + old):
        start_ns = time.time_ns() if number < good else 1
        spans.add(trace_id=b"k" * 16, span_id=(number + 1).to_bytes(8, "big"), start_time_unix_nano=start_ns)
    return request.SerializeToString()


def _ask(running: Running, method: str, path: str, key: str | None, body: bytes = b"") -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(running.url).netloc, timeout=60)
    headers = {"content-type": _PROTOBUF, **({"authorization": f"Bearer {key}"} if key else {})}
    try:
        connection.request(method, path, body, headers)
        reply = connection.getresponse()
        return reply.status, reply.read()
    finally:
        connection.close()


def _listed(running: Running, project: str) -> dict[str, Any]:
    status, body = _ask(running, "GET", "/api/v1/keys", KEYS[project, "admin"])
    assert status == 200
    return json.loads(body)


def test_each_key_has_its_own_account(used: Running) -> None:
    """Requests, refusals and spans are counted for the key they came with; what was not found is no refusal."""
    got = _listed(used, "shop")
    counts = {
        one["role"]: [one[name] for name in ("requests", "refused_requests", "accepted_spans", "rejected_spans")]
        for one in got["keys"]
    }
    assert counts["ingest"] == [3, 2, 3, 2]
    assert counts["read"] == [1, 0, 0, 0]
    assert counts["admin"][1:] == [0, 0, 0]
    assert got["unknown_requests"] == 3


def test_last_use_is_a_time_since_the_start(used: Running) -> None:
    """A key that was used says when; the counts say since when they are."""
    got = _listed(used, "shop")
    since, now = datetime.fromisoformat(got["since"]), datetime.now(UTC)
    for one in got["keys"]:
        assert since <= datetime.fromisoformat(one["last_used_at"]) <= now


def test_grpc_counts_for_the_key_too(used: Running) -> None:
    """What came over gRPC is in the same account, and a key that was never used has no last use."""
    ingest, admin = _listed(used, "bank")["keys"]
    assert [ingest[name] for name in ("requests", "refused_requests", "accepted_spans")] == [2, 1, 4]
    assert admin["role"] == "admin"


def test_keys_are_known_by_a_mark_and_never_told(used: Running) -> None:
    """An answer has the short mark of each key of its own project, in order, and no part of a key."""
    for project in ("shop", "bank"):
        own = [secret for (of, _), secret in KEYS.items() if of == project]
        got = _listed(used, project)
        assert [one["fingerprint"] for one in got["keys"]] == [fingerprint(secret) for secret in own]
        assert {one["project"] for one in got["keys"]} == {project}
        assert "51d0c2" not in json.dumps(got)
    assert "51d0c2" not in used.log.read_text()


def test_a_key_can_ask_what_it_stands_for(used: Running) -> None:
    """Pages offer what their key may do: it is told its project and role, and nothing of other keys."""
    for role in ("read", "admin"):
        status, body = _ask(used, "GET", "/api/v1/access", KEYS["shop", role])
        assert (status, json.loads(body)) == (200, {"project": "shop", "role": role})


def test_the_route_is_described(used: Running) -> None:
    """OpenAPI names every field of a key's account, and none that could hold the key."""
    document = json.loads(_ask(used, "GET", "/openapi.json", None)[1])
    assert "/api/v1/keys" in document["paths"]
    described = document["components"]["schemas"]["UsedKey"]["properties"]
    assert set(described) == set(_listed(used, "shop")["keys"][0])
    assert all(field.get("description") or field.get("title") for field in described.values())
