"""Too much at once: refused with a time to come back, memory bounded, and nobody held up by those who dawdle."""

import http.client
import os
import socket
import threading
import urllib.parse
from collections import Counter
from collections.abc import Generator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from tests.chaos.load import Load
from tests.chaos.processes import metric
from tests.processes import Running, bare_collector, wait_for

_MIB = 2**20
# States the bound, for a collector that may hold 16 MiB of requests: all else is the engine, the interpreter, what
# the journal keeps for the writer, and what the writer has under way.
MAX_RESIDENT_BYTES = 1_200 * _MIB
_HEADERS = {"content-type": "application/x-protobuf", "content-encoding": "gzip"}
_LOAD = Load(41, 1_795_219_200 * 10**9)  # 2026-11-21: imported, so that it never ages
_IMPORT = {**_HEADERS, "loopwatch-import": "true"}


def _post(running: Running, body: bytes) -> tuple[int, str | None]:
    """Sends one body; returns the status and Retry-After."""
    address = urllib.parse.urlsplit(running.url)
    with closing(http.client.HTTPConnection(str(address.netloc), timeout=60)) as connection:
        connection.request("POST", "/v1/traces", body, _IMPORT)
        reply = connection.getresponse()
        reply.read()
        return reply.status, reply.getheader("retry-after")


def _resident_bytes(running: Running) -> int:
    pages = Path(f"/proc/{running.process.pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def _dawdling(running: Running, count: int, said: bytes) -> Generator[list[socket.socket]]:
    """Connections that say only so much, and then nothing."""
    address = ("127.0.0.1", int(running.url.rpartition(":")[2]))
    with ExitStack() as stack:
        connections = [stack.enter_context(socket.create_connection(address, timeout=30)) for _ in range(count)]
        for connection in connections:
            connection.sendall(said)
        yield connections


def _is_hung_up_on(connection: socket.socket) -> bool:
    try:
        return connection.recv(1) == b""
    except ConnectionError:
        return True


def _head(length: int) -> bytes:
    lines = ("POST /v1/traces HTTP/1.1", "Host: localhost", "Content-Type: application/x-protobuf")
    return "\r\n".join((*lines, f"Content-Length: {length}", "", "")).encode()


def test_a_flood_is_refused_within_bounds_and_what_was_taken_is_stored(tmp_path: Path) -> None:
    """More than the store can write: 503 with Retry-After 1 to 3, memory bounded, and it recovers by itself."""
    env = {"LOOPWATCH_MAX_JOURNAL_BYTES": "150000", "LOOPWATCH_MAX_RECEIVING_BYTES": str(16 * _MIB)}
    answers: Counter[tuple[int, str | None]] = Counter()
    taken: set[int] = set()
    lock = threading.Lock()

    def flood(running: Running, first: int) -> None:
        for batch in range(first, 600, 4):
            status, retry_after = _post(running, _LOAD.body(batch))
            with lock:
                answers[status, retry_after] += 1
                if status == 200:
                    taken.add(batch)

    with bare_collector(tmp_path, **env) as running:
        threads = [threading.Thread(target=flood, args=(running, first)) for first in range(4)]
        for thread in threads:
            thread.start()
        highest = 0
        while any(thread.is_alive() for thread in threads):
            highest = max(highest, _resident_bytes(running))
            threads[0].join(0.05)
        assert {status for status, _ in answers} == {200, 503}
        assert all(after is not None and 1 <= int(after) <= 3 for status, after in answers if status == 503)
        assert highest < MAX_RESIDENT_BYTES
        wait_for(lambda: _post(running, _LOAD.body(0))[0] == 200, "it takes spans again")
        wait_for(lambda: metric(running.url, "loopwatch_journal_records") == 0, "everything taken is written")
        expected = sum(_LOAD.spans_in(batch) for batch in taken | {0})
        assert (metric(running.url, "loopwatch_written_spans_total") or 0) >= expected


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Generator[Running]:
    """A collector that may hold 16 MiB of requests."""
    with bare_collector(tmp_path_factory.mktemp("overload"), LOOPWATCH_MAX_RECEIVING_BYTES=str(16 * _MIB)) as started:
        yield started


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"POST /v1/traces HT",
        b"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nX-",
        _head(1000),
        _head(1000) + b"x" * 999,
    ],
    ids=["nothing", "half a line", "half a header", "no body", "almost a body"],
)
def test_those_who_dawdle_hold_nobody_up(running: Running, said: bytes) -> None:
    """Three hundred connections that stop at some point of a request: others are answered as ever."""
    with _dawdling(running, 300, said):
        assert [_post(running, _LOAD.body(batch))[0] for batch in range(3)] == [200, 200, 200]


def test_heads_that_never_end_are_hung_up_on(running: Running) -> None:
    """A connection whose headers do not come is closed by the collector."""
    with _dawdling(running, 20, b"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nX-") as connections:
        assert all(_is_hung_up_on(connection) for connection in connections)


def test_heads_without_end_are_hung_up_on(running: Running) -> None:
    """A connection whose headers do not stop coming is closed before they fill the memory."""

    def send_headers(connection: socket.socket) -> None:
        for number in range(10_000):
            connection.sendall(b"X-%d: %s\r\n" % (number, b"x" * 1000))

    with _dawdling(running, 1, b"GET /healthz HTTP/1.1\r\n") as connections, pytest.raises(ConnectionError):
        send_headers(connections[0])


def test_bodies_half_sent_are_counted_and_given_back(running: Running) -> None:
    """What half-sent bodies hold is refused to others with 503, and free again when their senders are gone."""
    with _dawdling(running, 15, _head(2 * _MIB) + bytes(_MIB)):
        status, retry_after = wait_for(
            lambda: answer if (answer := _post(running, bytes(3 * _MIB)))[0] == 503 else None, "no room is left"
        )
        assert 1 <= int(retry_after or 0) <= 3
        assert status == 503
        assert _post(running, _LOAD.body(0))[0] == 200  # there is room for a small one
    wait_for(lambda: _post(running, bytes(3 * _MIB))[0] == 400, "the room is free again")
