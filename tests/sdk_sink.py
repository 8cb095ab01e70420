"""A little OTLP sink for the SDK's tests: real HTTP, decodes what comes, and can be told to misbehave."""

import gzip
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

DEADLINE_S = 30.0


@dataclass(frozen=True)
class SentSpan:
    """A span as it came over the wire."""

    name: str
    scope: str
    trace_id: str
    span_id: str
    parent_id: str
    attributes: dict[str, Any]
    events: list[tuple[str, dict[str, Any]]]
    status: int
    message: str
    resource: dict[str, Any]


@dataclass
class Sink:
    """What came, and how to answer.

    Args:
        answers: statuses of the next requests, in order; 200 when there are none left.
        delay_s: how long each answer takes.
    """

    url: str = ""
    answers: list[int] = field(default_factory=list)
    retry_after: str = ""
    delay_s: float = 0.0
    spans: list[SentSpan] = field(default_factory=list)
    dropped: dict[str, int] = field(default_factory=dict)
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    requests: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, path: str, headers: dict[str, str], body: bytes) -> int:
        """Takes one request; returns the status to answer with."""
        with self.lock:
            self.requests += 1
            status = self.answers.pop(0) if self.answers else 200
            if status >= 300:
                return status
            plain = gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body
            self.bodies.append(plain)
            self.headers.append(headers)
            if path == "/v1/metrics":
                self._take_metrics(plain)
            else:
                self.spans += decode(plain)
        return status

    def _take_metrics(self, body: bytes) -> None:
        request = ExportMetricsServiceRequest.FromString(body)
        for resource in request.resource_metrics:
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    assert metric.name == "loopwatch.sdk.dropped_spans"
                    for point in metric.sum.data_points:
                        self.dropped[point.attributes[0].value.string_value] = point.as_int

    def wait_for(self, spans: int, deadline_s: float = DEADLINE_S) -> list[SentSpan]:
        """Waits until so many spans came."""
        end = time.monotonic() + deadline_s
        while len(self.spans) < spans:
            if time.monotonic() > end:
                raise AssertionError(f"{len(self.spans)} of {spans} spans came within {deadline_s} s")
            time.sleep(0.01)
        return self.spans


def value(any_value: Any) -> Any:
    """An AnyValue as a Python value."""
    kind = any_value.WhichOneof("value")
    if kind is None:
        return None
    if kind == "array_value":
        return [value(item) for item in any_value.array_value.values]
    if kind == "kvlist_value":
        return {item.key: value(item.value) for item in any_value.kvlist_value.values}
    return getattr(any_value, kind)


def mapping(attributes: Any) -> dict[str, Any]:
    """Attributes as a dict."""
    return {attribute.key: value(attribute.value) for attribute in attributes}


def decode(body: bytes) -> list[SentSpan]:
    """The spans of an ExportTraceServiceRequest."""
    request = ExportTraceServiceRequest.FromString(body)
    return [
        SentSpan(
            span.name,
            scope.scope.name,
            span.trace_id.hex(),
            span.span_id.hex(),
            span.parent_span_id.hex(),
            mapping(span.attributes),
            [(event.name, mapping(event.attributes)) for event in span.events],
            span.status.code,
            span.status.message,
            mapping(resource.resource.attributes),
        )
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


@contextmanager
def running_sink(port: int = 0) -> Iterator[Sink]:
    """Runs a sink on a port of the system's choice, or on a given one."""
    sink = Sink()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(headers["content-length"]))
            time.sleep(sink.delay_s)
            status = sink.take(self.path, headers, body)
            self.send_response(status)
            if sink.retry_after:
                self.send_header("retry-after", sink.retry_after)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Says nothing."""

    class Server(ThreadingHTTPServer):
        allow_reuse_address = True
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that went away is what some tests are about."""

    server = Server(("127.0.0.1", port), Handler)
    sink.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield sink
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
