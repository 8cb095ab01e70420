"""The HTTP edge of the simulated API: routes, headers, JSON and streams."""

import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from typing import Any

from loopwatch_reference.messages_api.errors import (
    ApiError,
    AuthenticationFailed,
    InvalidRequest,
    NotFound,
    RequestTooLarge,
)
from loopwatch_reference.messages_api.replies import new_id
from loopwatch_reference.messages_api.service import (
    FAULT_HEADER,
    MessagesService,
    ServiceSettings,
    first_token_delay_s,
    writing_time_s,
)
from loopwatch_reference.messages_api.streaming import encode_event, stream_events

_MAX_BODY_BYTES = 32 * 1024 * 1024
_ORGANIZATION = "00000000-0000-4000-8000-000000000000"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else a delayed acknowledgement adds 40 ms to every answer
    server: "_Server"

    def do_POST(self) -> None:
        rng = self.server.service.next_rng()
        request_id = new_id("req", rng)
        try:
            body = self._read_body()
            self._check_headers()
            self._route(body, request_id, rng)
        except ApiError as refusal:
            self._send_json(refusal.status, refusal.body(request_id), request_id, refusal.headers())
        except ConnectionError:
            self.close_connection = True  # the client went away in the middle: its right

    def do_GET(self) -> None:
        refusal = NotFound("Not found")
        request_id = new_id("req", self.server.service.next_rng())
        self._send_json(refusal.status, refusal.body(request_id), request_id, {})

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 the name http.server passes
        """Says nothing: one line per request would drown the agent's own output."""

    def _route(self, body: Any, request_id: str, rng: Random) -> None:
        path = self.path.partition("?")[0]
        if path == "/v1/messages/count_tokens":
            self._send_json(200, self.server.service.count_tokens(body), request_id, {})
            return
        if path != "/v1/messages":
            raise NotFound("Not found")
        message = self.server.service.answer(body, self.headers.get(FAULT_HEADER, ""), rng)
        scale = self.server.service.settings.latency_scale
        time.sleep(first_token_delay_s(message, rng) * scale)
        if body.get("stream"):
            self._send_stream(message, request_id, writing_time_s(message) * scale)
        else:
            time.sleep(writing_time_s(message) * scale)
            self._send_json(200, message, request_id, {})

    def _read_body(self) -> Any:
        length = int(self.headers.get("content-length") or 0)
        if length > _MAX_BODY_BYTES:
            self.close_connection = True  # the rest of the body is not read
            raise RequestTooLarge("Request exceeds the maximum allowed number of bytes.")
        try:
            return json.loads(self.rfile.read(length))
        except ValueError as broken:
            raise InvalidRequest("The request body is not valid JSON.") from broken

    def _check_headers(self) -> None:
        if not self.headers.get("x-api-key") and not self.headers.get("authorization"):
            raise AuthenticationFailed("x-api-key header is required")
        if not self.headers.get("anthropic-version"):
            raise InvalidRequest("anthropic-version: header is required")

    def _send_json(self, status: int, body: dict[str, Any], request_id: str, headers: dict[str, str]) -> None:
        content = json.dumps(body, ensure_ascii=False).encode()
        self._send_headers(status, request_id, {"content-type": "application/json", **headers})
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _send_headers(self, status: int, request_id: str, headers: dict[str, str]) -> None:
        self.send_response(status)
        limits = {"anthropic-ratelimit-requests-limit": "50", "anthropic-ratelimit-requests-remaining": "49"}
        if status == 429:
            limits["anthropic-ratelimit-requests-remaining"] = "0"
        for name, value in {
            "request-id": request_id,
            "anthropic-organization-id": _ORGANIZATION,
            **limits,
            **headers,
        }.items():
            self.send_header(name, value)

    def _send_stream(self, message: dict[str, Any], request_id: str, writing_s: float) -> None:
        headers = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache"}
        self._send_headers(200, request_id, {**headers, "transfer-encoding": "chunked"})
        self.end_headers()
        events = list(stream_events(message))
        for event in events:
            self._send_chunk(encode_event(event))
            if event["type"] == "content_block_delta":
                time.sleep(writing_s / len(events))
        self._send_chunk(b"")

    def _send_chunk(self, content: bytes) -> None:
        self.wfile.write(b"%x\r\n%b\r\n" % (len(content), content))


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], service: MessagesService) -> None:
        super().__init__(address, _Handler)
        self.service = service

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Reports a fault of the simulator; a client that hangs up is none."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def serving(settings: ServiceSettings, port: int = 0, service: MessagesService | None = None) -> Iterator[str]:
    """Runs the simulated API in a thread of this process.

    Args:
        settings: how it behaves.
        port: where it listens on 127.0.0.1; 0 lets the system choose.
        service: what answers; made from the settings when none is given.

    Yields:
        Its base URL, for `anthropic.Anthropic(base_url=...)`.
    """
    server = _Server(("127.0.0.1", port), service or MessagesService(settings))
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="messages-api", daemon=True
    )
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
