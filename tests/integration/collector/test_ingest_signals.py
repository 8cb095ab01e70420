"""Every way in: OTLP over HTTP and gRPC, spans, logs and metrics, through a real collector."""

import base64
import gzip
import json
import socket
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from tests.processes import Running, bare_collector, get, query, wait_for

PROTOBUF = "application/x-protobuf"
TRACES_METHOD = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


GRPC_PORT = _free_port()


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with bare_collector(tmp_path_factory.mktemp("signals"), LOOPWATCH_GRPC_PORT=str(GRPC_PORT)) as running:
        yield running


def _pairs(**attributes: str | int) -> list[KeyValue]:
    return [
        KeyValue(
            key=key.replace("__", "."),
            value=AnyValue(int_value=value) if isinstance(value, int) else AnyValue(string_value=value),
        )
        for key, value in attributes.items()
    ]


def _call(trace: bytes, *, start_ns: int | None = None, **attributes: str | int) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    request.resource_spans.add().scope_spans.add().spans.add(
        trace_id=trace,
        span_id=trace[:8],
        name="chat claude-opus-5-5",
        start_time_unix_nano=time.time_ns() if start_ns is None else start_ns,
        attributes=_pairs(
            gen_ai__operation__name="chat", gen_ai__request__model="claude-opus-5-5",
            gen_ai__usage__input_tokens=100, gen_ai__usage__output_tokens=10, **attributes,
        ),
    )  # fmt: skip
    return request


def _post(url: str, body: bytes, content_type: str = PROTOBUF, **headers: str) -> tuple[int, bytes, dict[str, str]]:
    sent = {"content-type": content_type, **{name.replace("_", "-"): value for name, value in headers.items()}}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, sent), timeout=60) as reply:
            return reply.status, reply.read(), dict(reply.headers)
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.read(), dict(refusal.headers)


def _run(receiver: Running, trace: bytes) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        try:
            return get(f"{receiver.url}/api/v1/runs/{trace.hex()}/spans", content="true")
        except urllib.error.HTTPError:
            return None

    return wait_for(look, f"the run of trace {trace.hex()}")


@pytest.mark.parametrize(
    ("number", "encoding", "compress"),
    [
        (1, "", bytes), (2, "gzip", gzip.compress), (3, "deflate", zlib.compress), (0x31, "x-gzip", gzip.compress),
        (0x32, "deflate", lambda body: zlib.compress(body)[2:-4]),
    ],
)  # fmt: skip
def test_http_protobuf_in_every_encoding(receiver: Running, number: int, encoding: str, compress: Any) -> None:
    """Protobuf, plain or compressed, is acknowledged with an empty message and becomes a run."""
    trace = bytes([number]) * 16
    headers = {"content_encoding": encoding} if encoding else {}
    body = compress(_call(trace).SerializeToString())
    assert _post(f"{receiver.url}/v1/traces", body, **headers)[:2] == (200, b"")
    assert _run(receiver, trace)["spans"][0]["input_tokens"] == 100


@pytest.mark.parametrize(("number", "path"), [(4, "/v1/traces"), (5, "/api/public/otel/v1/traces")])
def test_http_json_on_both_paths(receiver: Running, number: int, path: str) -> None:
    """JSON with parameters in its content type is read, on the path Langfuse's SDK posts to as well."""
    trace = bytes([number]) * 16
    span = {
        "traceId": trace.hex(), "spanId": "00f067aa0ba902b7", "name": "chat x",
        "startTimeUnixNano": str(time.time_ns()),
        "attributes": [{"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}},
                       {"key": "gen_ai.usage.input_tokens", "value": {"intValue": "7"}}],
    }  # fmt: skip
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).encode()
    headers = {"authorization": "Basic " + base64.b64encode(b"pk:sk").decode()}
    assert _post(receiver.url + path, body, "application/json; charset=utf-8", **headers)[:2] == (200, b"{}")
    assert _run(receiver, trace)["spans"][0]["input_tokens"] == 7


def test_partial_success_says_how_many_and_why(receiver: Running) -> None:
    """Spans that cannot be taken are counted in the answer, in both encodings; the rest of the request is kept."""
    good, old = b"\x06" * 16, _call(b"\x07" * 16, start_ns=1)
    old.resource_spans[0].scope_spans[0].spans.append(_call(good).resource_spans[0].scope_spans[0].spans[0])
    status, body, _ = _post(f"{receiver.url}/v1/traces", old.SerializeToString())
    answer = ExportTraceServiceResponse.FromString(body)
    assert (status, answer.partial_success.rejected_spans) == (200, 1)
    assert "older" in answer.partial_success.error_message
    assert len(_run(receiver, good)["spans"]) == 1
    empty = b'{"resourceSpans":[{"scopeSpans":[{"spans":[{}]}]}]}'
    status, body, _ = _post(f"{receiver.url}/v1/traces", empty, "application/json")
    assert (status, json.loads(body)["partialSuccess"]["rejectedSpans"]) == (200, "1")


@pytest.mark.parametrize("path", ["/v1/traces", "/v1/logs", "/v1/metrics"])
def test_refusals_are_status_messages_in_the_requests_encoding(receiver: Running, path: str) -> None:
    """400, 413 and 415 carry a google.rpc.Status, in protobuf or JSON as the request; an empty request is fine."""
    url = receiver.url + path
    assert _post(url, b"")[:2] == (200, b"")
    status, body, headers = _post(url, b"\xff\xff\xff")
    assert (status, headers["content-type"]) == (400, PROTOBUF)
    assert "protobuf" in Status.FromString(body).message
    status, body, headers = _post(url, b"{", "application/json")
    assert (status, headers["content-type"], bool(json.loads(body)["message"])) == (400, "application/json", True)
    bomb = gzip.compress(b"\x00" * (65 * 2**20), 9)
    assert _post(url, bomb, content_encoding="gzip")[0] == 413
    assert _post(url, b"x", "text/plain")[0] == 415
    assert _post(url, b"x", content_encoding="br")[0] == 415


def test_requests_are_counted_by_signal_and_status(receiver: Running) -> None:
    """Every answer of an OTLP route shows in the metrics, the refused ones too."""

    def counted(labels: str) -> float:
        with urllib.request.urlopen(f"{receiver.url}/metrics", timeout=60) as reply:
            lines = reply.read().decode().splitlines()
        return sum(
            float(line.split()[-1]) for line in lines if line.startswith("loopwatch_requests_total") and labels in line
        )

    before = counted('signal="logs",status="400"'), counted('signal="traces",status="200"')
    assert _post(f"{receiver.url}/v1/logs", b"\xff")[0] == 400
    assert _post(f"{receiver.url}/v1/traces", b"")[0] == 200
    assert (counted('signal="logs",status="400"'), counted('signal="traces",status="200"')) == (
        before[0] + 1,
        before[1] + 1,
    )


def test_grpc_takes_spans_and_names_faults(receiver: Running) -> None:
    """OTLP over gRPC acknowledges like HTTP does; a body that does not decode is INVALID_ARGUMENT."""
    trace = b"\x08" * 16
    with grpc.insecure_channel(f"127.0.0.1:{GRPC_PORT}") as channel:
        export = channel.unary_unary(TRACES_METHOD, response_deserializer=ExportTraceServiceResponse.FromString)
        answer = export(_call(trace).SerializeToString(), timeout=60, compression=grpc.Compression.Gzip)
        assert not answer.HasField("partial_success")
        with pytest.raises(grpc.RpcError) as refusal:
            export(b"\xff\xff", timeout=60)
    assert refusal.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert _run(receiver, trace)["spans"][0]["kind"] == "model_call"


def _log(trace: bytes, name: str, attributes: list[KeyValue], body: AnyValue | None = None) -> bytes:
    request = ExportLogsServiceRequest()
    record = (
        request.resource_logs.add()
        .scope_logs.add()
        .log_records.add(
            trace_id=trace, span_id=trace[:8], event_name=name, time_unix_nano=time.time_ns(), attributes=attributes
        )
    )
    if body is not None:
        record.body.CopyFrom(body)
    return request.SerializeToString()


def _nested(value: Any) -> AnyValue:
    if isinstance(value, dict):
        made = AnyValue()
        made.kvlist_value.values.extend(KeyValue(key=key, value=_nested(inner)) for key, inner in value.items())
        return made
    return AnyValue(string_value=value)


@pytest.mark.parametrize(("number", "span_first"), [(9, True), (10, False)])
def test_content_in_logs_joins_its_span_in_any_order(receiver: Running, number: int, span_first: bool) -> None:
    """Messages sent as log events, of the present and of the older form, are read as their span's content."""
    trace = bytes([number]) * 16
    message = json.dumps([{"role": "user", "parts": [{"type": "text", "content": f"hello {number}"}]}])
    sendings = [
        ("/v1/traces", _call(trace).SerializeToString()),
        ("/v1/logs", _log(trace, "gen_ai.client.inference.operation.details", _pairs(gen_ai__input__messages=message))),
        ("/v1/logs", _log(trace, "gen_ai.choice", [], _nested({"index": "0", "message": {"content": "good day"}}))),
    ]
    for path, body in sendings if span_first else reversed(sendings):
        assert _post(receiver.url + path, body)[:2] == (200, b"")

    def look() -> dict[str, Any] | None:
        answer = _run(receiver, trace)
        return answer if set(answer["spans"][0]["content"]) == {"input", "output"} else None

    answer = wait_for(look, "content of both events")
    assert len(answer["spans"]) == 1
    names = {event["name"] for event in answer["spans"][0]["events"]}
    assert names == {"gen_ai.client.inference.operation.details", "gen_ai.choice"}
    bodies = "".join(answer["contents"].values())
    assert f"hello {number}" in bodies
    assert "good day" in bodies


def test_evaluation_in_logs_is_a_verdict(receiver: Running) -> None:
    """An evaluation result for a span is kept as a verdict on it; sending it again does not double it."""
    trace = b"\x0b" * 16
    said = _pairs(gen_ai__evaluation__name="relevance", gen_ai__evaluation__score__label="good")
    body = _log(trace, "gen_ai.evaluation.result", said)
    for _ in range(2):
        assert _post(f"{receiver.url}/v1/logs", body)[0] == 200
    found = wait_for(
        lambda: get(f"{receiver.url}/api/v1/verdicts", run_id=trace.hex()).get("verdicts") or None, "the verdict"
    )
    assert [(one["name"], one["label"], one["span_id"]) for one in found] == [("relevance", "good", trace[:8].hex())]


def test_lines_and_metrics_that_are_not_about_agents_are_rejected(receiver: Running) -> None:
    """Plain log lines and a web server's metrics are not kept, and the sender is told."""
    status, body, _ = _post(f"{receiver.url}/v1/logs", _log(b"\x0c" * 16, "", [], AnyValue(string_value="GET / 200")))
    assert (status, ExportLogsServiceResponse.FromString(body).partial_success.rejected_log_records) == (200, 1)
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="http.server.request.duration")
    metric.gauge.data_points.add(time_unix_nano=time.time_ns(), as_double=1.0)
    status, body, _ = _post(f"{receiver.url}/v1/metrics", request.SerializeToString())
    assert (status, body != b"") == (200, True)


def _token_metric(value: int, at_ns: int, *, is_cumulative: bool) -> Message:
    request = ExportMetricsServiceRequest()
    resource = request.resource_metrics.add()
    resource.resource.attributes.extend(_pairs(service__name="cumulative" if is_cumulative else "delta"))
    metric = resource.scope_metrics.add().metrics.add(name="claude_code.token.usage", unit="tokens")
    metric.sum.aggregation_temporality = 2 if is_cumulative else 1
    metric.sum.data_points.add(
        as_int=value, time_unix_nano=at_ns, start_time_unix_nano=at_ns if not is_cumulative else NOW - 10**9,
        attributes=_pairs(type="cacheRead", model="claude-opus-5-5"),
    )  # fmt: skip
    return request


NOW = time.time_ns()


@pytest.mark.parametrize("is_cumulative", [False, True])
def test_token_metrics_add_up_however_they_count(receiver: Running, is_cumulative: bool) -> None:
    """Delta and cumulative counters of a sender with metrics only give what was used; resent points count once."""
    for step, value in enumerate((5, 3, 4) if not is_cumulative else (5, 8, 12)):
        body = _token_metric(value, NOW + step, is_cumulative=is_cumulative).SerializeToString()
        for _ in range(2):
            assert _post(f"{receiver.url}/v1/metrics", body)[:2] == (200, b"")
    service = "cumulative" if is_cumulative else "delta"

    def look() -> bool:
        rows = [row for row in query(receiver.url, "sender_metrics") if row["service"] == service]
        return [(row["value"], row["token_kind"], row["model"]) for row in rows] == [
            (12, "cache_read", "claude-opus-5-5")
        ]

    wait_for(look, f"12 tokens of the {service} counter")


@pytest.mark.parametrize("path", ["/v1/traces/", "/api/public/otel/v1/traces/", "/v1/logs/", "/v1/metrics/"])
def test_a_slash_at_the_end_makes_no_difference(receiver: Running, path: str) -> None:
    """Exporters do not follow redirects: the path with a slash is served like the one without."""
    assert _post(f"{receiver.url}{path}", b"")[:2] == (200, b"")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("path", ["/v1/traces", "/v1/logs", "/v1/metrics/"])
def test_another_method_is_refused_in_otlps_form(receiver: Running, method: str, path: str) -> None:
    """What is not a POST gets google.rpc.Status in the request's encoding, and the method that is allowed."""
    request = urllib.request.Request(f"{receiver.url}{path}", method=method, headers={"content-type": PROTOBUF})
    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(request, timeout=60)
    with refusal.value as answer:
        assert (answer.code, answer.headers["allow"]) == (405, "POST")
        assert answer.headers["content-type"] == PROTOBUF
        assert method in Status.FromString(answer.read()).message


def test_half_a_character_in_json_loses_no_batch(receiver: Running) -> None:
    """A text that JavaScript cut within an emoji costs that half character, not the batch it is in."""
    trace = b"\x33" * 16
    span = {
        "traceId": trace.hex(), "spanId": "00f067aa0ba902b7", "startTimeUnixNano": str(time.time_ns()),
        "name": "cut \ud83d", "attributes": [{"key": "said", "value": {"stringValue": "\ud83d\ude00"}}],
    }  # fmt: skip
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).encode()
    assert b"\\ud83d" in body
    assert _post(f"{receiver.url}/v1/traces", body, "application/json")[0] == 200
    [stored] = _run(receiver, trace)["spans"]
    assert (stored["name"], stored["attributes"]["said"]) == ("cut \ufffd", "\U0001f600")


def test_points_that_cannot_be_kept_are_named(receiver: Running) -> None:
    """Points without a believable time or a finite value are rejected with a reason; a gauge is its last value."""
    request = ExportMetricsServiceRequest()
    resource = request.resource_metrics.add()
    resource.resource.attributes.extend(_pairs(service__name="gauges"))
    points = resource.scope_metrics.add().metrics.add(name="gen_ai.depth").gauge.data_points
    for time_ns, value in ((NOW, 5.0), (NOW + 1, 7.0), (0, 1.0), (10**17, 1.0), (NOW, float("nan"))):
        points.add(time_unix_nano=time_ns, as_double=value)
    status, body, _ = _post(f"{receiver.url}/v1/metrics", request.SerializeToString())
    partial = ExportMetricsServiceResponse.FromString(body).partial_success
    assert (status, partial.rejected_data_points) == (200, 3)
    assert "1 with a point without a finite value; 2 with a point's time outside the retention" in partial.error_message

    def look() -> bool:
        rows = [row for row in query(receiver.url, "sender_metrics") if row["service"] == "gauges"]
        return [(row["value"], row["points"]) for row in rows] == [(7, 2)]

    wait_for(look, "the gauge's last value")
