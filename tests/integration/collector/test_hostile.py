"""Hostile input on the ingest routes: whatever arrives, an answer of the documented ones, and nothing breaks."""

import gzip
import http.client
import json
import os
import time
import urllib.parse
import zlib
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from isal import isal_zlib
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.chaos.load import Load, recent_midnight_ns
from tests.chaos.processes import metric
from tests.processes import ALL_TIME, Running, bare_collector, get, wait_for

# What OTLP senders are told; a key's faults are another test's.
OTLP_ANSWERS = {200, 400, 413, 415, 429, 503}
PROTOBUF, JSON = "application/x-protobuf", "application/json"
_MIB = 2**20
# The engine and the interpreter, the allowance of requests, what the journal keeps and the writer has under way.
MAX_RESIDENT_BYTES = 1_800 * _MIB
_GOOD = Load(77, recent_midnight_ns(time.time_ns()))
_QUICK = settings(
    max_examples=50, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@dataclass
class Target:
    """A collector that is thrown things at, over one connection that is renewed when it breaks."""

    running: Running
    connection: http.client.HTTPConnection

    def post(self, path: str, body: bytes, media_type: str = PROTOBUF, encoding: str = "") -> int:
        """Sends one body; returns the status."""
        headers = {"content-type": media_type, **({"content-encoding": encoding} if encoding else {})}
        try:
            self.connection.request("POST", path, body, headers)
            reply = self.connection.getresponse()
            reply.read()
        except (http.client.HTTPException, OSError):
            self.connection.close()
            self.connection.request("POST", path, body, headers)
            reply = self.connection.getresponse()
            reply.read()
        return reply.status

    def resident_bytes(self) -> int:
        """The process's memory now."""
        pages = Path(f"/proc/{self.running.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Generator[Target]:
    """A collector with a good run in it; afterwards it must be up, sound, and hold that run unchanged."""
    with bare_collector(tmp_path_factory.mktemp("hostile")) as running:
        made = Target(running, http.client.HTTPConnection(str(urllib.parse.urlsplit(running.url).netloc), timeout=120))
        assert made.post("/v1/traces", _GOOD.body(0), encoding="gzip") == 200
        good = _GOOD.trace_id(0).hex()
        before = wait_for(lambda: _run(running, good), "the good run is stored")
        yield made
        wait_for(lambda: metric(running.url, "loopwatch_journal_records") == 0, "everything taken is written")
        assert _run(running, good) == before
        assert get(f"{running.url}/readyz")["faults"] == []
        assert metric(running.url, "loopwatch_dead_letters_total") == 0
        assert "Traceback" not in running.log.read_text()
        made.connection.close()


def _run(running: Running, run_id: str) -> dict[str, Any] | None:
    runs = get(f"{running.url}/api/v1/runs?{urllib.parse.urlencode({**ALL_TIME, 'limit': 1000})}")["runs"]
    return next((run for run in runs if run["run_id"] == run_id), None)


def _signals() -> dict[str, bytes]:
    """A valid request of each kind, as a start for mutations."""
    logs = ExportLogsServiceRequest()
    record = logs.resource_logs.add().scope_logs.add().log_records.add()
    record.event_name, record.trace_id, record.span_id = "gen_ai.choice", b"t" * 16, b"s" * 8
    record.time_unix_nano = _GOOD.base_ns
    record.body.kvlist_value.values.add(key="message").value.string_value = "hello"
    metrics = ExportMetricsServiceRequest()
    point = metrics.resource_metrics.add().scope_metrics.add().metrics.add(name="gen_ai.client.token.usage")
    point.histogram.data_points.add(time_unix_nano=_GOOD.base_ns, count=1, sum=7.0)
    return {
        "/v1/traces": gzip.decompress(Load(78, _GOOD.base_ns).body(1)),
        "/v1/logs": logs.SerializeToString(),
        "/v1/metrics": metrics.SerializeToString(),
    }


_BODIES = _signals()


@st.composite
def _mutated(draw: st.DrawFn) -> tuple[str, bytes]:
    """A valid body with bits flipped, cut, joined to another, or with pieces doubled or replaced."""
    path = draw(st.sampled_from(sorted(_BODIES)))
    body = bytearray(_BODIES[path])
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, max(len(body) - 1, 0)))
        how = draw(st.sampled_from(("flip", "cut", "join", "double", "replace", "number")))
        if how == "flip" and body:
            body[at] ^= 1 << draw(st.integers(0, 7))
        elif how == "cut":
            del body[at:]
        elif how == "join":
            body += _BODIES[draw(st.sampled_from(sorted(_BODIES)))]
        elif how == "double":
            body[at:at] = body[at : at + draw(st.integers(1, 200))]
        elif how == "replace":
            body[at : at + 8] = draw(st.binary(max_size=8))
        else:
            body[at : at + 1] = b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"  # a varint of 2^64 - 1
    return path, bytes(body)


@_QUICK
@given(_mutated(), st.sampled_from(("", "gzip", "deflate", "broken gzip", "br")))
def test_mutated_protobuf_is_taken_or_refused(target: Target, sent: tuple[str, bytes], encoding: str) -> None:
    """Bit flips, cuts, joins and broken encodings of valid requests get one of OTLP's answers."""
    path, body = sent
    if encoding == "gzip":
        body = gzip.compress(body, 1)
    elif encoding == "deflate":
        body = zlib.compress(body, 1)
    elif encoding == "broken gzip":
        body = gzip.compress(body, 1)[:-5]
    assert target.post(path, body, encoding=encoding.removeprefix("broken ")) in OTLP_ANSWERS


_WORDS = st.sampled_from(
    ["resourceSpans", "scopeSpans", "spans", "traceId", "spanId", "name", "attributes", "key", "value", "stringValue",
     "intValue", "doubleValue", "arrayValue", "kvlistValue", "values", "startTimeUnixNano", "kind", "status", "events",
     "resourceLogs", "scopeLogs", "logRecords", "body", "resourceMetrics", "scopeMetrics", "metrics", "sum",
     "dataPoints", "links"]
)  # fmt: skip
_LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(["NaN", "-Infinity", "ff" * 16, "0" * 32, "1e999", "\x00", "9" * 400]),
)
_TREES = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_WORDS, inner, max_size=4), max_leaves=40
)


@_QUICK
@given(st.dictionaries(_WORDS, _TREES, max_size=3), st.sampled_from(sorted(_BODIES)))
def test_json_of_any_shape_is_taken_or_refused(target: Target, tree: dict[str, Any], path: str) -> None:
    """OTLP's own names over values of any type, NaN and numbers beyond 64 bits included."""
    assert target.post(path, json.dumps(tree).encode(), JSON) in OTLP_ANSWERS


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 1_000_000,
        b'{"resourceSpans":' * 100_000,
        b'{"resourceSpans":[{"resource":{"attributes":[{"key":"a","value":'
        + b'{"arrayValue":{"values":[' * 300
        + b"]}}" * 300
        + b"}]}}]}",
        b'{"resourceSpans":NaN}',
        b'\xff\xfe{"resourceSpans":[]}',
        b'{"resourceSpans":[],"resourceSpans":7}',
        b"",
        b"null",
    ],
    ids=["brackets", "objects", "values", "nan", "utf-16", "twice", "empty", "null"],
)
def test_malformed_json_is_refused(target: Target, body: bytes) -> None:
    """Depth without end, NaN, other encodings and other types than an object: 400, nothing worse."""
    assert target.post("/v1/traces", body, JSON) == 400


def _span(**fields: Any) -> tuple[ExportTraceServiceRequest, Span]:
    request = ExportTraceServiceRequest()
    made = {
        "trace_id": os.urandom(16),
        "span_id": os.urandom(8),
        "name": "hostile",
        "start_time_unix_nano": _GOOD.base_ns,
        "end_time_unix_nano": _GOOD.base_ns + 1,
        **fields,
    }
    return request, request.resource_spans.add().scope_spans.add().spans.add(**made)


def _large() -> dict[str, bytes]:
    """Bodies at the cap, of what multiplies most and of what agents may really send."""
    empty_spans = ExportTraceServiceRequest()
    empty_spans.resource_spans.add().scope_spans.add().spans.extend([Span()] * 500_000)
    many, span = _span()
    for number in range(1_000_000):
        span.attributes.add(key=f"k{number}").value.int_value = number
    long_text, span = _span()
    span.attributes.add(key="gen_ai.input.messages").value.string_value = "a" * (63 * _MIB)
    wide, span = _span()
    span.attributes.add(key="gen_ai.output.messages").value.string_value = "é\U0001f600" * (10 * _MIB)
    return {
        "empty spans": empty_spans.SerializeToString(),
        "a million attributes": many.SerializeToString(),
        "64 MiB of text": long_text.SerializeToString(),
        "60 MiB of wide characters": wide.SerializeToString(),
        "64 MiB of zeros": bytes(63 * _MIB),
        "over the cap": bytes(65 * _MIB),
    }


def _bomb() -> bytes:
    """2,000 MiB of zeros as gzip, made without ever holding them."""
    packing = isal_zlib.compressobj(1, wbits=31)
    zeros = bytes(_MIB)
    return b"".join([*(packing.compress(zeros) for _ in range(2_000)), packing.flush()])


def test_large_bodies_leave_memory_bounded(target: Target) -> None:
    """A bomb of nearly 1,000:1, a million attributes, 64 MiB in one string: answered, the memory within its bound."""
    bodies = {name: (body, isal_zlib.compress(body, 1, wbits=31)) for name, body in _large().items()}
    highest = 0
    for name, (body, packed) in [*bodies.items(), ("a bomb", (b"", _bomb()))]:
        for sent, encoding in ((body, ""), (packed, "gzip")):
            if len(sent) <= 65 * _MIB:
                assert target.post("/v1/traces", sent, encoding=encoding) in OTLP_ANSWERS, name
                highest = max(highest, target.resident_bytes())
    assert highest < MAX_RESIDENT_BYTES


@pytest.mark.parametrize("length", [0, 1, 7, 15, 17, 24, 32, 1000])
def test_ids_of_wrong_length_are_rejected_one_by_one(target: Target, length: int) -> None:
    """A span whose id has another length is counted as rejected; the answer is 200, as the protocol wants."""
    for field in ("trace_id", "span_id", "parent_span_id"):
        request, _ = _span(**{field: b"x" * length})
        assert target.post("/v1/traces", request.SerializeToString()) == 200


@pytest.mark.parametrize("start_ns", [0, 1, 2**63 - 1, 2**63, 2**64 - 1, 32_503_680_000 * 10**9 % 2**64])
def test_times_out_of_this_world_break_nothing(target: Target, start_ns: int) -> None:
    """The year 1, the year 3000 and the ends of the number range, as start, end and event time."""
    for times in (
        {"start_time_unix_nano": start_ns},
        {"end_time_unix_nano": start_ns},
        {"events": [Span.Event(time_unix_nano=start_ns, name="e")]},
    ):
        request, _ = _span(**times)
        assert target.post("/v1/traces", request.SerializeToString()) == 200


_ATTRIBUTES = [
    "gen_ai.operation.name", "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens", "gen_ai.usage.cost",
    "gen_ai.usage.cache_read.input_tokens", "gen_ai.response.time_to_first_chunk", "gen_ai.response.finish_reasons",
    "gen_ai.input.messages", "gen_ai.tool.definitions", "gen_ai.tool.name", "gen_ai.response.id",
    "gen_ai.request.model", "loopwatch.run.id", "loopwatch.kind", "loopwatch.iteration", "loopwatch.limits.iterations",
    "loopwatch.seq", "loopwatch.tags", "loopwatch.outcome", "loopwatch.tool.outcome", "loopwatch.tool.retryable",
    "loopwatch.tools.schema_bytes", "langfuse.observation.usage_details", "llm.input_messages.0.message.content",
    "gen_ai.prompt.99999999999.content", "session.id", "input.value", "error.type",
]  # fmt: skip
_VALUES = st.one_of(
    st.integers(-(2**63), 2**63 - 1).map(lambda number: {"int_value": number}),
    st.floats().map(lambda number: {"double_value": number}),
    st.booleans().map(lambda flag: {"bool_value": flag}),
    st.binary(max_size=40).map(lambda data: {"bytes_value": data}),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=40).map(lambda text: {"string_value": text}),
    st.sampled_from(
        ["1e999", "-1", "9" * 5000, "[" * 900, '{"a":' * 500, '[{"role":7}]', "null", '"', "\x00\u202e"]
    ).map(lambda text: {"string_value": text}),
)


@settings(_QUICK, max_examples=50)
@given(st.lists(st.tuples(st.sampled_from(_ATTRIBUTES), _VALUES), min_size=1, max_size=12))
def test_attributes_of_any_type_are_stored(target: Target, attributes: list[tuple[str, dict[str, Any]]]) -> None:
    """The names we read, with values of types and sizes nobody expects: taken, written, and never a dead letter."""
    request, span = _span()
    for key, value in attributes:
        pair = span.attributes.add(key=key)
        setattr(pair.value, *next(iter(value.items())))
    span.events.add(name="exception", attributes=span.attributes)
    assert target.post("/v1/traces", request.SerializeToString()) == 200


@pytest.mark.parametrize(
    "media_type", ["", "text/plain", "application/grpc", "multipart/form-data; boundary=x", "\xff"]
)
def test_other_media_types_are_refused(target: Target, media_type: str) -> None:
    """What is neither protobuf nor JSON gets 415."""
    assert target.post("/v1/traces", b"x", media_type) == 415
