"""A front of a collector that holds back or refuses what a test names: slow, busy and partial answers are real."""

import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Front:
    """An address in front of a collector.

    Attributes:
        url: the address.
        held: paths of which a part holds an answer back until `release`.
        busy: parts of paths that are answered with 503.
        release: lets held answers go.
        reached: set when a question came whose answer is held back.
        asked: the paths and parameters of all questions, in the order they came.
    """

    url: str = ""
    held: set[str] = field(default_factory=set)
    busy: set[str] = field(default_factory=set)
    release: threading.Event = field(default_factory=threading.Event)
    reached: threading.Event = field(default_factory=threading.Event)
    asked: list[str] = field(default_factory=list[str])

    def calm(self) -> None:
        """Lets held answers go, and holds back and refuses nothing any more."""
        self.held.clear()
        self.busy.clear()
        self.release.set()
        self.release, self.reached = threading.Event(), threading.Event()


@contextmanager
def front(endpoint: str) -> Iterator[Front]:
    """A front of the collector at `endpoint`."""
    own = Front()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            own.asked.append(self.path)
            if any(part in self.path for part in own.held):
                own.reached.set()
                own.release.wait(60)
            if any(part in self.path for part in own.busy):
                self._answer(503, b'{"error": {"code": "busy", "message": "Too much is asked at once."}}')
                return
            request = urllib.request.Request(endpoint + self.path)
            try:
                with urllib.request.urlopen(request, timeout=60) as reply:
                    self._answer(reply.status, reply.read())
            except urllib.error.HTTPError as refusal:
                with refusal:
                    self._answer(refusal.code, refusal.read())

        def _answer(self, status: int, body: bytes) -> None:
            with suppress(ConnectionError):  # who asked may have given up
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    own.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield own
    finally:
        own.release.set()
        server.shutdown()
        server.server_close()
        thread.join()
