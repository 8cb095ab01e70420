"""`loopwatch dashboards`: one Streamlit server over one collector."""

import argparse
import errno
import json
import os
import signal
import socket
import sys
import tempfile
import tomllib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from loopwatch_dashboards import warming
from loopwatch_dashboards.errors import CannotStart
from loopwatch_dashboards.settings import DEFAULT_ENDPOINT, Settings

HERE = Path(__file__).parent
# Nothing may be loaded from or sent to elsewhere. Charts are drawn by Vega's interpreter, without eval; Graphviz is
# WebAssembly.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "frame-src 'self'",
        "frame-ancestors 'self'",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
    )
)

WHERE_THE_SERVER_IS = (
    b"window.__streamlit = {BACKEND_BASE_URL: location.origin + '/', MAIN_PAGE_BASE_URL: location.origin + '/'}"
)
# Streamlit writes a page's parameters into the address before it changes the page: two entries in the browser's history
# for one step of the reader, and Back led to a page with another's parameters. The second one takes the first's place,
# however long it takes to come, unless the reader has done something in between: then it is a step of its own.
ONE_STEP_ONE_ENTRY = b"""
(() => {
  const push = history.pushState.bind(history);
  let written = null;
  for (const act of ['pointerdown', 'keydown', 'popstate']) addEventListener(act, () => { written = null; }, true);
  history.pushState = (state, title, address) => {
    const to = new URL(address ?? '', location.href);
    const isOnTheWay = to.pathname !== location.pathname && to.search === written;
    written = to.pathname === location.pathname ? to.search : null;
    isOnTheWay ? history.replaceState(state, title, address) : push(state, title, address);
  };
})()
"""
# A table that is reached with Tab selects its first cell, and what is selected is opened: Tab passes tables by, and the
# lists beside them open their rows.
TABLES_ARE_PASSED_BY = b"""
addEventListener('keydown', act => {
  if (act.key !== 'Tab') return;
  for (const table of document.querySelectorAll('[data-testid=data-grid-canvas]')) table.tabIndex = -1;
}, true)
"""
# The page is changed on its way: it is read uncompressed, and is never the copy a browser has already.
_CONDITIONAL = frozenset({b"accept-encoding", b"if-none-match", b"if-modified-since", b"range"})
_OF_THE_BODY = frozenset({b"content-length", b"etag", b"last-modified"})


def main(argv: list[str]) -> int:
    """Runs the dashboards until a signal ends them.

    Args:
        argv: the words after `loopwatch dashboards`.

    Returns:
        0 when a signal ended them, 1 when they cannot start; the reason is one sentence on stderr.
    """
    arguments = _parser().parse_args(argv)
    try:
        if arguments.collector:
            # The page script runs in this process and reads the same variables as `streamlit run` would give it.
            os.environ["LOOPWATCH_ENDPOINT"] = arguments.collector
        settings = Settings.from_environment(os.environ)
        listener = _listen(arguments.host, arguments.port)
    except CannotStart as fault:
        sys.stderr.write(f"loopwatch dashboards: {fault}\n")
        return 1
    with listener:
        _serve(listener, arguments.host, settings, arguments.ready_file)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="loopwatch dashboards",
        description="Shows runs, iterations, tools, cost and escalations in a browser.",
        epilog="LOOPWATCH_ENDPOINT names the collector, LOOPWATCH_API_KEY the key to read with.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
    parser.add_argument("--port", type=int, default=8501, help="port to listen on (default 8501; 0: any free one)")
    parser.add_argument(
        "--collector", metavar="URL", help=f"the collector's address (default LOOPWATCH_ENDPOINT, {DEFAULT_ENDPOINT})"
    )
    parser.add_argument("--ready-file", type=Path, metavar="FILE", help="written with url and pid once it listens")
    return parser


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except (OSError, OverflowError) as fault:
        listener.close()
        if isinstance(fault, OSError) and fault.errno == errno.EADDRINUSE:
            raise CannotStart(f"port {port} on {host} is in use; choose another with --port") from fault
        raise CannotStart(f"cannot listen on {host} port {port}: {fault}") from fault
    listener.listen(128)
    return listener


def _options(host: str, port: int) -> dict[str, Any]:
    """Streamlit's options by dotted name, from streamlit.toml and the address."""
    table = tomllib.loads((HERE / "streamlit.toml").read_text(encoding="utf-8"))
    return {**_dotted(table), "server.address": host, "server.port": port, "browser.serverPort": port}


def _dotted(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    options: dict[str, Any] = {}
    for name, value in table.items():
        if isinstance(value, dict):
            options |= _dotted(value, f"{prefix}{name}.")
        else:
            options[prefix + name] = value
    return options


def _write_ready(ready_file: Path, url: str) -> None:
    with tempfile.NamedTemporaryFile("w", dir=ready_file.parent, delete=False) as part:
        json.dump({"url": url, "pid": os.getpid()}, part)
    Path(part.name).replace(ready_file)


def _serve(listener: socket.socket, host: str, settings: Settings, ready_file: Path | None) -> None:
    # Imported here: `--help` and a wrong setting answer at once, without two seconds of imports.
    import uvicorn
    from starlette.middleware import Middleware
    from streamlit import config
    from streamlit.starlette import App

    port = listener.getsockname()[1]
    url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    config.get_config_options(force_reparse=True, options_from_flags=_options(host, port))

    @asynccontextmanager
    async def announce(_app: App) -> AsyncIterator[None]:
        sys.stdout.write(f"loopwatch dashboards listening on {url} (collector {settings.endpoint})\n")
        sys.stdout.flush()
        if ready_file:
            _write_ready(ready_file, url)
        warming.begin()
        yield

    app = App(HERE / "app.py", lifespan=announce, middleware=[Middleware(_SecurityHeaders), Middleware(_Pages)])
    server = uvicorn.Server(
        uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=2, ws="auto")
    )
    # uvicorn raises the signal that ended it once more when it is done: with these it then ends with status 0.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    server.run(sockets=[listener])


class _Pages:
    """Tells Streamlit's page where its server is, and mends its history.

    Left alone it looks below every page's path first, and the browser's console shows a 404 for each look.
    """

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or "." in scope["path"] or scope["path"].startswith("/_stcore"):
            await self._app(scope, receive, send)
            return
        plain = {**scope, "headers": [(k, v) for k, v in scope["headers"] if k not in _CONDITIONAL]}
        start: dict[str, Any] = {}
        body = bytearray()

        async def collect(message: Any) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            else:
                body.extend(message.get("body", b""))

        await self._app(plain, receive, collect)
        scripts = b";".join((WHERE_THE_SERVER_IS, ONE_STEP_ONE_ENTRY, TABLES_ARE_PASSED_BY))
        page = bytes(body).replace(b"<head>", b"<head><script>" + scripts + b"</script>", 1)
        headers = [(k, v) for k, v in start["headers"] if k not in _OF_THE_BODY]
        await send({**start, "headers": [*headers, (b"content-length", str(len(page)).encode())]})
        await send({"type": "http.response.body", "body": page})


class _SecurityHeaders:
    """Tells the browser to load and send nothing beyond this server, whatever a page may contain."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def send_with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message.get("headers", ()),
                    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
                    (b"x-content-type-options", b"nosniff"),
                    (b"referrer-policy", b"same-origin"),
                ]
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)
