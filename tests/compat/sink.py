"""An OTLP endpoint that keeps what it is sent."""

import gzip
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Captured(NamedTuple):
    """One OTLP request as it arrived, decompressed."""

    path: str
    content_type: str
    body: bytes


class Sink(ThreadingHTTPServer):
    """Answers every OTLP request with success and remembers it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.captured: list[Captured] = []

    @property
    def url(self) -> str:
        """Its base URL, for OTEL_EXPORTER_OTLP_ENDPOINT."""
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Sink

    def do_POST(self) -> None:
        body = _decompressed(self._body(), self.headers.get("content-encoding", ""))
        is_otlp = self.path.endswith(("/v1/traces", "/v1/logs", "/v1/metrics"))
        if is_otlp:
            content_type = self.headers.get("content-type", "").partition(";")[0]
            self.server.captured.append(Captured(self.path, content_type, body))
        # An empty body is a full success in protobuf; anything else these libraries ask for is not there.
        self._answer(200 if is_otlp else 404)

    def do_GET(self) -> None:
        self._answer(404)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 the name http.server passes
        pass

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("transfer-encoding", ""):
            return self.rfile.read(int(self.headers.get("content-length") or 0))
        portions: list[bytes] = []
        while size := int(self.rfile.readline(), 16):
            portions.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(portions)


def _decompressed(body: bytes, encoding: str) -> bytes:
    if encoding == "gzip":
        return gzip.decompress(body)
    return zlib.decompress(body) if encoding == "deflate" else body


@contextmanager
def sink() -> Iterator[Sink]:
    """A sink that listens on a port of the system's choice until the block ends."""
    server = Sink()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
