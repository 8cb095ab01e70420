"""`loopwatch serve`: the collector as a process."""

import argparse
import asyncio
import errno
import gc
import json
import logging
import os
import resource
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import uvicorn
from fastapi import FastAPI

from loopwatch_collector.alerts.engine import AlertEngine
from loopwatch_collector.app import create_app
from loopwatch_collector.auth import DEFAULT_PROJECT
from loopwatch_collector.errors import CannotStart, CollectorError
from loopwatch_collector.journal.journal import Journal, JournalLimits
from loopwatch_collector.lock import DataDirectoryLock
from loopwatch_collector.metrics import Metrics
from loopwatch_collector.prices.override import read_own_prices
from loopwatch_collector.prices.price import Pricer
from loopwatch_collector.receive import grpc_server
from loopwatch_collector.receive.connections import BoundedHeadProtocol
from loopwatch_collector.retention.custodian import Custodian
from loopwatch_collector.settings import GRPC_PORT, HTTP_PORT, Settings, parse_grpc_port, parse_port
from loopwatch_collector.spelling import unknown_variables
from loopwatch_collector.store.store import Store
from loopwatch_collector.write.handovers import Handovers
from loopwatch_collector.write.senders import Senders
from loopwatch_collector.write.storing import Storing
from loopwatch_collector.write.writer import Writer

_LOG = logging.getLogger(__name__)
_REQUESTS_GRACE_S: Final = 5
_WRITER_GRACE_S: Final = 60
_ALERTS_GRACE_S: Final = 10
_SHARED_MEMORY_BYTES: Final = 2**29
_UNCOLLECTED_OBJECTS: Final = 250_000  # three batches at once, the most that are in memory, do not reach it


def main(argv: list[str]) -> int:
    """Runs the collector until SIGTERM or SIGINT.

    Args:
        argv: the words after `loopwatch serve`.

    Returns:
        0 after an orderly stop, 1 when it cannot start.
    """
    arguments = _parser().parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    for unknown in unknown_variables(os.environ):
        _LOG.warning("%s", unknown)
    try:
        serve(_settings(arguments), arguments.ready_file)
    except CollectorError as fault:
        sys.stderr.write(f"loopwatch serve: {fault}\n")
        return 1
    return 0


def serve(settings: Settings, ready_file: Path | None = None) -> None:
    """Opens the parts in the order data meets them, serves, and closes them in the order that loses nothing.

    Args:
        settings: the settings.
        ready_file: written when it listens: {"url", "pid"}.

    Raises:
        CollectorError: it cannot start; the sentence says why.
    """
    _check(settings)
    with ExitStack() as stack:
        lock = stack.enter_context(DataDirectoryLock(settings.data_dir))
        listener = stack.enter_context(_listen(settings.host, settings.port))
        _use_memory_for_inserts()
        _take_all_files_allowed()
        metrics = Metrics()
        backup_dir = settings.backup_dir or settings.data_dir / "backups"
        store = Store.open(settings.dsn, backup_dir=backup_dir)
        stack.callback(store.close)
        limits = JournalLimits(settings.max_journal_bytes, settings.min_free_bytes)
        journal = Journal(settings.data_dir / "journal.sqlite", limits, metrics)
        stack.callback(journal.close)
        pricer = Pricer(own=read_own_prices(settings.prices_path) if settings.prices_path else None)
        senders = Senders()
        writer = Writer(journal, Storing(store, pricer, metrics, senders, Handovers(settings.handover_tools)), metrics)
        app = create_app(
            settings, journal=journal, store=store, pricer=pricer, writer=writer, senders=senders, metrics=metrics
        )
        custodian = Custodian(store, journal, settings.retention)
        app.state.custodian = custodian
        app.state.backup_dir = backup_dir
        projects = [key.project for key in settings.keys] or [DEFAULT_PROJECT]
        alerts = AlertEngine(store, metrics, projects, settings.rules_path, settings.dashboards_url, os.environ)
        app.state.alerts = alerts
        _collect_garbage_rarely()
        writer.start()
        stack.callback(_stop_writer, writer)
        alerts.start()
        stack.callback(alerts.stop, _ALERTS_GRACE_S)
        custodian.start()
        stack.callback(custodian.stop)
        port = listener.getsockname()[1]
        url = f"http://{_bracketed(settings.host)}:{port}"
        lock.write({"pid": os.getpid(), "url": url})
        server = _Server(_http_config(app))
        with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
            runner.run(_serve(server, app, settings, listener, url, ready_file))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="loopwatch serve", description="Run the collector.")
    parser.add_argument("--host", help="address to listen on (LOOPWATCH_HOST, default 127.0.0.1)")
    parser.add_argument(
        "--port", type=_argument(parse_port), help="port, 0 for any free one (LOOPWATCH_PORT, default 4318)"
    )
    parser.add_argument(
        "--grpc-port",
        type=_argument(parse_grpc_port),
        metavar="PORT",
        default=argparse.SUPPRESS,  # None means off
        help="port of OTLP over gRPC, 0 for any free one, off for none (LOOPWATCH_GRPC_PORT, default 4317 beside 4318)",
    )
    parser.add_argument("--data-dir", help="where everything is kept (LOOPWATCH_DATA_DIR)")
    parser.add_argument("--ready-file", type=Path, help="written when it listens: {url, pid}")
    return parser


def _argument(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    """A parser of settings as one of arguments, which tells its own sentence."""

    def read(text: str) -> Any:
        try:
            return parse(text)
        except ValueError as fault:
            raise argparse.ArgumentTypeError(str(fault)) from None

    return read


def _settings(arguments: argparse.Namespace) -> Settings:
    environment = dict(os.environ)
    if arguments.data_dir:
        environment["LOOPWATCH_DATA_DIR"] = arguments.data_dir
    settings = Settings.from_environment(environment)
    if arguments.host is not None:
        settings = replace(settings, host=arguments.host)
    if arguments.port is not None:
        settings = replace(settings, port=arguments.port)
    if "grpc_port" in arguments:
        settings = replace(settings, grpc_port=arguments.grpc_port)
    return settings


def _check(settings: Settings) -> None:
    if not settings.keys and not settings.is_loopback:
        raise CannotStart(
            f"without LOOPWATCH_KEYS the collector listens on loopback only, not on {settings.host}; set keys"
        )
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise CannotStart(
            f"cannot make the data directory {settings.data_dir}: {fault.strerror}; set LOOPWATCH_DATA_DIR"
        ) from fault
    _check_room(settings.data_dir, settings, "LOOPWATCH_DATA_DIR")
    if settings.dsn.startswith("chdb:"):
        _check_room(Path(urlsplit(settings.dsn).path), settings, "LOOPWATCH_DSN")


def _check_room(folder: Path, settings: Settings, variable: str) -> None:
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    free = shutil.disk_usage(existing).free
    if free < settings.min_free_bytes:
        raise CannotStart(
            f"only {free >> 20} MiB are free under {existing}, "
            f"{settings.min_free_bytes >> 20} MiB are needed; free some space or set {variable}"
        )


def _collect_garbage_rarely() -> None:
    # Rows are many objects without cycles, some five a span. Looking through those of one batch takes 20 to 50 ms, in
    # which no other thread has a turn, and as much again to fill the caches anew: a tenth or more of normalising.
    gc.freeze()
    gc.set_threshold(_UNCOLLECTED_OBJECTS, 20, 50)


def _use_memory_for_inserts() -> None:
    # The embedded engine's client hands each insert over in a temporary file.
    shared_memory = Path("/dev/shm")  # noqa: S108  # files there are made by tempfile, under names of its own
    if os.access(shared_memory, os.W_OK) and shutil.disk_usage(shared_memory).free > _SHARED_MEMORY_BYTES:
        tempfile.tempdir = str(shared_memory)


def _take_all_files_allowed() -> None:
    # Connections that say nothing until they are hung up on must not use up what the store needs.
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2048)
    except socket.gaierror as fault:
        listener.close()
        raise CannotStart(
            f"the host '{host}' has no address ({fault.strerror}); choose another with --host or LOOPWATCH_HOST"
        ) from fault
    except OSError as fault:
        listener.close()
        if fault.errno == errno.EADDRNOTAVAIL:
            raise CannotStart(
                f"{host} is no address of this machine; choose another with --host or LOOPWATCH_HOST"
            ) from fault
        raise CannotStart(
            f"port {port} on {host} is in use or not ours to take ({fault.strerror}); choose another with --port"
        ) from fault
    return listener


def _bracketed(host: str) -> str:
    """A host as it stands in a URL."""
    return f"[{host}]" if ":" in host else host


class _Server(uvicorn.Server):
    """uvicorn under our signals: its own would end the process by the signal instead of with status 0."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)
                # A second signal while the rest is written must not cut that short.
                signal.signal(number, signal.SIG_IGN)


def _http_config(app: FastAPI) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=BoundedHeadProtocol,
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=_REQUESTS_GRACE_S,
        timeout_keep_alive=75,
    )


async def _serve(
    server: uvicorn.Server, app: FastAPI, settings: Settings, listener: socket.socket, url: str, ready_file: Path | None
) -> None:
    grpc_listener = await _start_grpc(app, settings)
    announcing = asyncio.create_task(_announce(server, app, settings, url, ready_file))
    await server.serve(sockets=[listener])
    await announcing
    if grpc_listener is not None:
        await grpc_listener.stop(_REQUESTS_GRACE_S)


async def _start_grpc(app: FastAPI, settings: Settings) -> Any:
    """The gRPC server, or None where it is not wanted: at the default ports it is, and its port may be taken."""
    is_asked_for = settings.grpc_port != "auto"
    port = settings.grpc_port if is_asked_for else GRPC_PORT if settings.port == HTTP_PORT else None
    if port is None:
        return None
    host = _bracketed(settings.host)
    try:
        server, bound = await grpc_server.start(
            app.state.receiver, app.state.keyring, f"{host}:{port}", settings.max_body_bytes
        )
    except CannotStart as fault:
        if is_asked_for:
            raise
        _LOG.warning("no OTLP over gRPC: %s", fault)
        return None
    app.state.grpc_port = bound
    _LOG.info("OTLP over gRPC on %s:%d", host, bound)
    return server


async def _announce(
    server: uvicorn.Server, app: FastAPI, settings: Settings, url: str, ready_file: Path | None
) -> None:
    while not server.started and not server.should_exit:
        await asyncio.sleep(0.005)
    if not server.started:
        return
    if ready_file is not None:
        draft = ready_file.with_name(ready_file.name + ".draft")
        draft.write_text(json.dumps({"url": url, "pid": os.getpid()}), encoding="utf-8")
        draft.replace(ready_file)
    grpc_port: int | None = getattr(app.state, "grpc_port", None)
    too = "" if grpc_port is None else f", OTLP over gRPC on {_bracketed(settings.host)}:{grpc_port}"
    sys.stdout.write(f"loopwatch collector listening on {url}{too}\n")
    sys.stdout.flush()


def _stop_writer(writer: Writer) -> None:
    if not writer.stop(_WRITER_GRACE_S):
        _LOG.warning("the writer did not finish in %d s; the rest waits in the journal", _WRITER_GRACE_S)
