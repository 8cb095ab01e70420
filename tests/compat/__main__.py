"""`python -m tests.compat [NAME ...]`: runs other libraries against the simulated API and keeps what they send."""

import argparse
import json
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

from loopwatch_reference.messages_api.server import serving
from loopwatch_reference.messages_api.service import MessagesService, ServiceSettings
from tests.compat import environments, payload
from tests.compat.libraries import LIBRARIES, Library
from tests.compat.payload import Payload
from tests.compat.sink import Sink, sink

_WORKLOADS = Path(__file__).with_name("workloads")
_TIMEOUT_S = 300
_SERVER = "mcp__shop__"
_SHOWN_PACKAGES = (
    "anthropic",
    "@ai-sdk/anthropic",
    "@ai-sdk/otel",
    "opentelemetry-sdk",
    "opentelemetry-util-genai",
    "traceloop-sdk",
)


class RecordingService(MessagesService):
    """The simulated API, with a memory of what it answered: the numbers each payload is held to."""

    def __init__(self) -> None:
        super().__init__(ServiceSettings())
        self.answers: list[dict[str, Any]] = []

    def answer(self, body: Any, fault: str, rng: Random) -> dict[str, Any]:
        """Answers one request and remembers the usage it reported."""
        # Claude Code puts the server's name before a tool's; the simulated model knows the bare ones.
        is_qualified = _SERVER in json.dumps(body.get("tools") or [])
        bare = json.loads(json.dumps(body).replace(_SERVER, "")) if is_qualified else body
        message = super().answer(bare, fault, rng)
        for block in message["content"] if is_qualified else ():
            if block["type"] == "tool_use":
                block["name"] = _SERVER + block["name"]
        self.answers.append({name: message[name] for name in ("id", "model", "stop_reason", "usage")})
        return message


def main(arguments: list[str]) -> int:
    """Runs the named libraries, or all; prints a line each.

    Args:
        arguments: of the command line.

    Returns:
        0, or 1 when a library could not be run.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.compat", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="packages to run; all when none is named")
    parser.add_argument("--upgrade", action="store_true", help="install the newest versions first")
    parser.add_argument("--folder", type=Path, default=payload.FOLDER, help="where the payloads go")
    options = parser.parse_args(arguments)
    known = {library.folder for library in LIBRARIES}
    if unknown := sorted(set(options.names) - known):
        parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(sorted(known))}")
    chosen = [library for library in LIBRARIES if not options.names or library.folder in options.names]
    failed = [library.folder for library in chosen if not _show(library, options.folder, upgrade=options.upgrade)]
    if failed:
        print(f"could not be run: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def _show(library: Library, folder: Path, *, upgrade: bool) -> bool:
    try:
        made = run(library, upgrade=upgrade)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as fault:
        print(f"{library.name}: {fault}\n{fault.stderr or fault.stdout or ''}", file=sys.stderr)
        return False
    if not made.requests:
        print(f"{library.name}: sent nothing", file=sys.stderr)
        return False
    path = payload.write(made, folder)
    spans = sum(
        len(scope.spans)
        for request in made.trace_requests()
        for part in request.resource_spans
        for scope in part.scope_spans
    )
    print(f"{made.name}: {len(made.requests)} requests, {spans} spans, {len(made.answers)} calls -> {path.name}")
    return True


def run(library: Library, *, upgrade: bool = False) -> Payload:
    """Installs a library, runs its workload, and returns what it sent.

    Args:
        library: which.
        upgrade: install the newest versions first.

    Raises:
        subprocess.CalledProcessError: it could not be installed, or the workload failed.
    """
    installed, interpreter, modules = _installed(library, upgrade=upgrade)
    service = RecordingService()
    with serving(service.settings, service=service) as api, sink() as otlp, _neutral_folder() as folder:
        if modules:
            (folder / "node_modules").symlink_to(modules)
        report = _run_workload(library, interpreter, folder, api, otlp)
        replacements = {
            str(folder): "/app",
            str(environments.cache_folder() / library.folder): "/venv",
            sys.base_prefix: "/python",
            socket.gethostname(): "host",
        }
        requests = [
            {"path": captured.path, "body": payload.scrubbed(payload.body_of(captured), replacements)}
            for captured in otlp.captured
        ]
    return Payload(
        library=library.name,
        version=installed[library.name],
        dialect=library.dialect,
        packages={name: installed[name] for name in _SHOWN_PACKAGES if name in installed and name != library.name},
        answers=service.answers if library.traces_streams else service.answers[:1],
        tool_calls=report["tool_calls"] if library.traces_tools else [],
        failed_tool_calls=report["failed"] if library.traces_tools else [],
        conversation_id="conversation-4711" if library.tells_conversation else "",
        agent="incident-resolver" if library.tells_agent else "",
        requests=requests,
    )


def _installed(library: Library, *, upgrade: bool) -> tuple[dict[str, str], str, Path | None]:
    """Installs a library; returns its packages by version, what runs the workload, and its node_modules if any."""
    if library.runtime == "node":
        wanted = (f"{library.name}@{library.major}", *library.requirements)
        home = environments.node_modules_with(library.folder, wanted, upgrade=upgrade)
        return environments.node_versions(home), "node", home / "node_modules"
    python = environments.python_with(library.folder, (library.name, *library.requirements), upgrade=upgrade)
    return environments.versions(python), str(python), None


@contextmanager
def _neutral_folder() -> Iterator[Path]:
    """A copy of the workloads where no path tells whose machine it is."""
    with tempfile.TemporaryDirectory(prefix="compat-") as name:
        folder = Path(name).resolve() / "app"
        shutil.copytree(_WORKLOADS, folder, ignore=shutil.ignore_patterns("__pycache__"))
        yield folder


def _run_workload(library: Library, interpreter: str, folder: Path, api: str, otlp: Sink) -> dict[str, Any]:
    report = folder / "report.json"
    variables = {
        "ANTHROPIC_BASE_URL": api,
        "ANTHROPIC_API_KEY": "unused",
        "OTEL_EXPORTER_OTLP_ENDPOINT": otlp.url,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_SERVICE_NAME": "shop",
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY",
        "OTEL_SEMCONV_STABILITY_OPT_IN": "gen_ai_latest_experimental",
        "COMPAT_REPORT": str(report),
        **{name: value.format(sink=otlp.url, api=api) for name, value in library.variables},
    }
    subprocess.run(
        [interpreter, f"{library.workload}.{'mjs' if library.runtime == 'node' else 'py'}"],
        cwd=folder,
        env=environments.neutral_environment(**variables),
        check=True,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
    )
    found: dict[str, Any] = json.loads(report.read_text())
    return found


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
