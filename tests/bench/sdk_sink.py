"""A do-nothing OTLP sink: a process that reads each request and answers 200.

`python -m tests.bench.sdk_sink [DELAY_S]` prints its port; each answer waits so long. GET answers how many requests and
bytes came.
"""

import json
import socketserver
import sys
import time
from http.server import BaseHTTPRequestHandler
from typing import ClassVar


class Sink(BaseHTTPRequestHandler):
    """Reads and forgets."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    delay_s: ClassVar[float] = 0.0
    seen: ClassVar[dict[str, int]] = {"requests": 0, "bytes": 0}

    def do_POST(self) -> None:
        """Takes one export."""
        size = int(self.headers["content-length"])
        self.rfile.read(size)
        self.seen["requests"] += 1
        self.seen["bytes"] += size
        time.sleep(self.delay_s)
        self._answer(b"")

    def do_GET(self) -> None:
        """Tells what came."""
        self._answer(json.dumps(self.seen).encode())

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Says nothing."""


class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """One thread per connection."""

    daemon_threads = True
    allow_reuse_address = True


if __name__ == "__main__":
    Sink.delay_s = float(sys.argv[1]) if len(sys.argv) > 1 else 0.0
    with Server(("127.0.0.1", 0), Sink) as server:
        print(server.server_address[1], flush=True)
        sys.stdin.close()
        server.serve_forever()
