"""The embedded engine behind ClickHouse's HTTP interface, as much of it as the driver uses. For tests only.

`python -m tests.clickhouse_front DIRECTORY` prints its port, serves until its input ends, and needs no server to be
installed. What it proves: our SQL, parameters, settings and inserts through the driver's HTTP client. What it
cannot: users and grants, replication, clusters, and whatever else a real server does and the engine does not.
"""

import gzip
import itertools
import os
import re
import subprocess
import sys
import tempfile
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

# What the interface takes itself; everything else in the query string is a setting.
_OWN = {
    "query", "database", "user", "password", "session_id", "session_timeout", "query_id", "wait_end_of_query", "role",
    "buffer_size", "compress", "decompress", "send_progress_in_http_headers", "http_headers_progress_interval_ms",
    "enable_http_compression", "client_protocol_version", "quota_key", "default_format",
}  # fmt: skip
# The statement and, after a line end, its data: in the query string and the body, or both in the body.
_INSERT = re.compile(rb"\A\s*INSERT\s+INTO\s([^\n]*?)\sFORMAT\s+(\w+)\s*?\n", re.IGNORECASE)
_FORMAT = re.compile(r"\bFORMAT\s+(\w+)\s*;?\s*\Z", re.IGNORECASE)
_CODE = re.compile(r"Code: (\d+)\.")


class Engine:
    """The one engine of the process: each request has a session of its own, as with the real interface."""

    def __init__(self, directory: str, folder: Path) -> None:
        import chdb

        self._chdb = chdb
        self._path = directory
        self._folder = folder
        self._kept = chdb.connect(directory)  # keeps the engine open between requests
        self._files = itertools.count()

    def answer(self, sql: str, body: bytes, params: dict[str, str]) -> bytes:
        connection = self._chdb.connect(self._path)
        try:
            if params.get("database"):
                connection.query(f"USE `{params['database']}`", "TSV")
            settings = [f"{n} = '{v}'" for n, v in params.items() if n not in _OWN and not n.startswith("param_")]
            if settings:
                connection.query(f"SET {', '.join(settings)}", "TSV")
            bound = {name.removeprefix("param_"): value for name, value in params.items() if name.startswith("param_")}
            return self._run(connection, sql, body, bound)
        finally:
            connection.close()

    def _run(self, connection: Any, sql: str, body: bytes, bound: dict[str, str]) -> bytes:
        whole = sql.encode() + b"\n" + body if sql else body
        inserted = _INSERT.match(whole)
        if inserted:
            self._insert(connection, inserted, whole[inserted.end() :])
            return b""
        sql = whole.decode()
        found = _FORMAT.search(sql)
        return bytes(connection.query(sql, found[1] if found else "TabSeparated", params=bound).bytes() or b"")

    def _insert(self, connection: Any, inserted: re.Match[bytes], data: bytes) -> None:
        file = self._folder / f"insert-{next(self._files)}"
        file.write_bytes(data)
        try:
            into, data_format = inserted[1].decode(), inserted[2].decode()
            connection.query(f"INSERT INTO {into} FROM INFILE '{file}' FORMAT {data_format}", "TSV")
        finally:
            file.unlink()


class Front(BaseHTTPRequestHandler):
    """Speaks the interface."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    engine: Engine

    def do_GET(self) -> None:
        if urllib.parse.urlsplit(self.path).path == "/ping":
            self._reply(200, b"Ok.\n")
        else:
            self.do_POST()

    def do_POST(self) -> None:
        query = urllib.parse.urlsplit(self.path).query
        params = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        body = _decoded(self._body(), self.headers.get("content-encoding", ""))
        try:
            self._reply(200, self.engine.answer(params.get("query", ""), body, params))
        except Exception as fault:  # noqa: BLE001 - whatever the engine raises is the interface's answer
            code = _CODE.search(str(fault))
            self._reply(500, str(fault).encode(), {"X-ClickHouse-Exception-Code": code[1] if code else "1002"})

    def _body(self) -> bytes:
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            return b"".join(self._chunks())
        return self.rfile.read(int(self.headers.get("content-length", 0)))

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline().split(b";")[0], 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def _reply(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"X-ClickHouse-Summary": "{}", "X-ClickHouse-Timezone": "UTC", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


def _decoded(body: bytes, encoding: str) -> bytes:
    if encoding == "gzip":
        return gzip.decompress(body)
    if encoding == "lz4":
        import lz4.frame

        return bytes(lz4.frame.decompress(body))
    if encoding == "zstd":
        import zstandard

        return zstandard.ZstdDecompressor().decompressobj().decompress(body)
    return body


def main(directory: str) -> None:
    """Serves until standard input ends."""
    with tempfile.TemporaryDirectory() as folder:
        Front.engine = Engine(directory, Path(folder))
        with ThreadingHTTPServer(("127.0.0.1", 0), Front) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            sys.stdout.write(f"{server.server_port}\n")
            sys.stdout.flush()
            sys.stdin.read()
            server.shutdown()


@contextmanager
def clickhouse(folder: Path) -> Iterator[str]:
    """A front over a new engine in `folder`, as a process of its own: yields its `clickhouse://` address."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "front.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.clickhouse_front", str(folder / "engine")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            cwd=Path(__file__).parents[1],
            env={**os.environ, "TZ": "UTC"},
        )
    assert process.stdin is not None
    assert process.stdout is not None
    port = process.stdout.readline().strip()
    assert port, (folder / "front.log").read_text()
    try:
        yield f"clickhouse://default@127.0.0.1:{port}"
    finally:
        process.stdin.close()
        process.wait(30)
        process.stdout.close()


if __name__ == "__main__":
    main(sys.argv[1])
