"""What the collector shows of itself: metrics, its state, and what `loopwatch doctor` makes of it."""

import json
import socket
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from loopwatch import names
from tests.processes import ALL_TIME, Running, bare_collector, get, loopwatch, wait_for

KEYS = "shop:ingest:in-key,shop:read:read-key,shop:admin:admin-key,bank:read:bank-key,bank:ingest:bank-in-key"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


GRPC_PORT = _free_port()


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    port = str(GRPC_PORT)
    with bare_collector(tmp_path_factory.mktemp("outside"), LOOPWATCH_KEYS=KEYS, LOOPWATCH_GRPC_PORT=port) as running:
        _send(running, "/v1/traces", _spans(1, 2, 4, 4))
        _send(running, "/v1/traces", _spans(2))
        _send(running, "/v1/metrics", _drops())
        wait_for(lambda: _metrics(running).get("loopwatch_written_spans_total", 0) >= 5, "spans are written")
        wait_for(lambda: any("sdk_dropped" in name for name in _metrics(running)), "drops are written")
        yield running


def _pair(key: str, text: str) -> KeyValue:
    return KeyValue(key=key, value=AnyValue(string_value=text))


def _spans(*numbers: int) -> bytes:
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    resource.resource.attributes.extend([_pair("service.name", "till"), _pair(names.PROCESS_ID, "process-1")])
    spans = resource.scope_spans.add().spans
    for number in numbers:
        span = spans.add(trace_id=b"t" * 16, span_id=number.to_bytes(8, "big"), start_time_unix_nano=time.time_ns())
        span.attributes.append(KeyValue(key=names.SEQ, value=AnyValue(int_value=number)))
    spans.add(trace_id=b"t" * 16, span_id=b"s" * 8, start_time_unix_nano=1)  # too old: rejected
    return request.SerializeToString()


def _drops() -> bytes:
    request = ExportMetricsServiceRequest()
    resource = request.resource_metrics.add()
    resource.resource.attributes.extend([_pair("service.name", "till"), _pair(names.PROCESS_ID, "process-1")])
    metric = resource.scope_metrics.add().metrics.add(name=names.DROPPED_SPANS_METRIC)
    metric.sum.aggregation_temporality = 2
    metric.sum.data_points.add(
        as_int=7, time_unix_nano=time.time_ns(), attributes=[_pair(names.DROP_REASON, "queue full")]
    )
    return request.SerializeToString()


def _send(receiver: Running, path: str, body: bytes, key: str = "in-key") -> None:
    headers = {"content-type": "application/x-protobuf", "authorization": f"Bearer {key}"}
    with urllib.request.urlopen(urllib.request.Request(receiver.url + path, body, headers), timeout=60) as reply:
        assert reply.status == 200


def _metrics(receiver: Running) -> dict[str, float]:
    request = urllib.request.Request(f"{receiver.url}/metrics", headers={"authorization": "Bearer read-key"})
    with urllib.request.urlopen(request, timeout=60) as reply:
        lines = reply.read().decode().splitlines()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))}


def _system(receiver: Running, key: str) -> dict[str, Any]:
    request = urllib.request.Request(f"{receiver.url}/api/v1/system", headers={"authorization": f"Bearer {key}"})
    with urllib.request.urlopen(request, timeout=60) as reply:
        found: dict[str, Any] = json.load(reply)
        return found


def test_metrics_account_for_every_span(receiver: Running) -> None:
    """Received, acknowledged, journaled, written, again sent, rejected and dropped spans, and gaps, are all counted."""
    found = _metrics(receiver)
    assert found["loopwatch_received_spans_total"] >= 7
    assert found["loopwatch_acknowledged_spans_total"] == 5
    others = found['loopwatch_acknowledged_items_total{signal="metrics"}']
    assert found["loopwatch_journaled_items_total"] == 5 + others
    assert found["loopwatch_written_spans_total"] == 5
    assert found["loopwatch_duplicate_spans_total"] == 2
    assert found['loopwatch_rejected_spans_total{reason="a start time older than the retention"}'] == 2
    assert found['loopwatch_sequence_gaps{process="process-1",project="shop",service="till"}'] == 1
    assert found['loopwatch_sdk_dropped_spans{project="shop",reason="queue full"}'] == 7
    assert {"loopwatch_lag_seconds", "loopwatch_free_disk_bytes", "loopwatch_batch_spans_count"} <= set(found)


@pytest.mark.usefixtures("receiver")
@pytest.mark.parametrize(
    ("key", "expected"),
    [("", grpc.StatusCode.UNAUTHENTICATED), ("wrong", grpc.StatusCode.UNAUTHENTICATED),
     ("read-key", grpc.StatusCode.PERMISSION_DENIED), ("in-key", None)],
)  # fmt: skip
def test_keys_hold_for_grpc_too(key: str, expected: grpc.StatusCode | None) -> None:
    """OTLP over gRPC asks for the same keys and roles as HTTP does."""
    metadata = [("authorization", f"Bearer {key}")] if key else []
    with grpc.insecure_channel(f"127.0.0.1:{GRPC_PORT}") as channel:
        export = channel.unary_unary("/opentelemetry.proto.collector.logs.v1.LogsService/Export")
        if expected is None:
            assert export(b"", timeout=60, metadata=metadata) == b""
            return
        with pytest.raises(grpc.RpcError) as refusal:
            export(b"", timeout=60, metadata=metadata)
    assert refusal.value.code() is expected


def test_state_names_senders_and_hides_keys_from_readers(receiver: Running) -> None:
    """The state shows a reader its senders; settings are for admins, keys for nobody."""
    state = _system(receiver, "read-key")
    assert state["status"] == "ok"
    assert [(one["service"], one["gaps"], one["dropped"]) for one in state["senders"]] == [
        ("till", 1, {"queue full": 7})
    ]
    assert state["sender_processes"] == 1
    assert "settings" not in state
    as_admin = _system(receiver, "admin-key")
    assert {"name": "LOOPWATCH_KEYS", "value": "5 keys", "source": "set"} in as_admin["settings"]
    assert "admin-key" not in json.dumps(as_admin)


def test_log_lines_that_are_not_taken_are_no_rejected_spans(receiver: Running) -> None:
    """Log records and points are counted apart: what is said of spans stays true of spans."""
    before = _metrics(receiver)
    line = ExportLogsServiceRequest()
    line.resource_logs.add().scope_logs.add().log_records.add(body=AnyValue(string_value="GET / 200"))
    _send(receiver, "/v1/logs", line.SerializeToString())
    found = _metrics(receiver)
    reason = "a log line that is no event of an agent"
    assert found[f'loopwatch_rejected_items_total{{reason="{reason}",signal="logs"}}'] == 1
    for of_spans in ("received", "rejected", "acknowledged"):
        name = f"loopwatch_{of_spans}_spans_total"
        assert {key: value for key, value in found.items() if key.startswith(name)} == {
            key: value for key, value in before.items() if key.startswith(name)
        }
    received = _system(receiver, "read-key")["received"]
    assert received["rejected_log_records"] == {reason: 1}
    assert received["rejected"] == {"a start time older than the retention": 2}


def test_counts_are_of_the_readers_own_project(receiver: Running) -> None:
    """What another project sent, and what of it was rejected, is in no number a reader sees."""
    mine = _system(receiver, "read-key")
    _send(receiver, "/v1/traces", _spans(9), key="bank-in-key")
    names_of_counts = ("received", "acknowledged_spans", "written_spans", "duplicate_spans", "dead_letters")
    wait_for(lambda: _system(receiver, "bank-key")["written_spans"] == 1, "the bank's span is written")
    theirs, after = _system(receiver, "bank-key"), _system(receiver, "read-key")
    assert {name: after[name] for name in names_of_counts} == {name: mine[name] for name in names_of_counts}
    assert (theirs["received"]["spans"], theirs["acknowledged_spans"], theirs["duplicate_spans"]) == (2, 1, 0)
    assert theirs["received"]["rejected"] == {"a start time older than the retention": 1}


def test_gaps_are_asked_for_by_process(receiver: Running) -> None:
    """The query of gaps counts, from the stored spans alone, what is missing between a process's numbers."""
    name, headers = "sender_gaps", {"authorization": "Bearer read-key"}
    answer = wait_for(
        lambda: get(f"{receiver.url}/api/v1/queries/{name}", headers, **ALL_TIME)["rows"] or None, "stored spans"
    )
    assert [row[:4] for row in answer] == [["process-1", "till", 3, 1]]


def test_doctor_is_content_with_a_healthy_collector(receiver: Running, tmp_path: Any) -> None:
    """With the right key and a running collector there is no problem; what SDKs dropped is noted."""
    env = {"LOOPWATCH_ENDPOINT": receiver.url, "LOOPWATCH_API_KEY": "read-key", "LOOPWATCH_DATA_DIR": str(tmp_path)}
    outcome = loopwatch("doctor", "--json", env=env)
    findings = json.loads(outcome.stdout)
    assert (outcome.returncode, [one for one in findings if one["status"] == "problem"]) == (0, [])
    assert any("dropped 7 spans" in one["text"] for one in findings)


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({"LOOPWATCH_ENDPOINT": "http://127.0.0.1:9"}, "nothing listens"),
        ({"LOOPWATCH_API_KEY": "wrong"}, "not one it knows"),
        ({"LOOPWATCH_PORT": "none"}, "LOOPWATCH_PORT"),
        ({"LOOPWATCH_MIN_FREE_BYTES": str(2**60)}, "are needed"),
        ({"OTEL_SDK_DISABLED": "true"}, "nothing is recorded"),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4318"}, "without /v1/traces"),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://[::1"}, "is no URL"),
        ({"LOOPWATCH_ENDPOINT": "http://[::1"}, "http://[::1 is no URL"),
        ({"LOOPWATCH_ENDPOINT": "localhost:4318"}, "localhost:4318 does not begin with http:// or https://"),
    ],
)
def test_doctor_names_what_is_wrong_and_what_to_do(
    receiver: Running, tmp_path: Any, env: dict[str, str], expected: str
) -> None:
    """Each fault is one problem with a sentence on how to mend it, and status 1; no key is printed."""
    healthy = {"LOOPWATCH_ENDPOINT": receiver.url, "LOOPWATCH_API_KEY": "read-key", "LOOPWATCH_DATA_DIR": str(tmp_path)}
    outcome = loopwatch("doctor", "--json", env={**healthy, **env})
    problems = [one for one in json.loads(outcome.stdout) if one["status"] == "problem"]
    assert outcome.returncode == 1
    assert any(expected in one["text"] and one["mend"] for one in problems), problems
    assert "read-key" not in outcome.stdout
