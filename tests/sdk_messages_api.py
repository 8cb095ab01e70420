"""A Messages API of one answer, for tests of the SDK that need the real Anthropic client and no more."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TEXT = "all is well again"


def answer(number: int, content: list[dict[str, Any]], stop_reason: str) -> dict[str, Any]:
    """A message as the API sends it."""
    return {
        "id": f"msg_{number}",
        "type": "message",
        "role": "assistant",
        "model": "claude-haiku-4-5",
        "content": content,
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "usage": {"input_tokens": 12, "output_tokens": 30, "cache_read_input_tokens": 5},
    }


def events(message: dict[str, Any]) -> bytes:
    """The same as server-sent events; the text in two pieces."""
    text = message["content"][0]["text"]
    half = len(text) // 2
    sent: list[dict[str, Any]] = [
        {"type": "message_start", "message": {**message, "content": [], "stop_reason": None}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *(
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": part}}
            for part in (text[:half], text[half:])
        ),
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": message["stop_reason"], "stop_sequence": None},
            "usage": {"output_tokens": 30},
        },
        {"type": "message_stop"},
    ]
    return b"".join(f"event: {one['type']}\ndata: {json.dumps(one)}\n\n".encode() for one in sent)


@contextmanager
def running_messages_api(content: list[dict[str, Any]] | None = None, stop_reason: str = "end_turn") -> Iterator[str]:
    """Runs it on a port of the system's choice and gives its base URL.

    Paths below /nowhere are not found. A first request that offers a tool named `add` is answered by a call of it.
    """
    asked = 0

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            nonlocal asked
            asked += 1
            request = json.loads(self.rfile.read(int(self.headers["content-length"])))
            message = answer(asked, content or [{"type": "text", "text": TEXT}], stop_reason)
            offered = [tool.get("name") for tool in request.get("tools", [])]
            if "add" in offered and len(request["messages"]) == 1:
                call = {"type": "tool_use", "id": "toolu_1", "name": "add", "input": {"a": 1, "b": 2}}
                message = answer(asked, [call], "tool_use")
            streams = bool(request.get("stream"))
            body = events(message) if streams else json.dumps(message).encode()
            self.send_response(404 if self.path.startswith("/nowhere") else 200)
            self.send_header("content-type", "text/event-stream" if streams else "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Says nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
