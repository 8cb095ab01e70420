"""`loopwatch demo`: collector, dashboards and reference agent as real processes, until Ctrl-C."""

import argparse
import json
import os
import signal
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType
from typing import Any

from loopwatch_reference.processes import Child, ChildFailed


class _Interrupted(Exception):
    """Ctrl-C, or a signal to end."""


def main(argv: list[str]) -> int:
    """Runs the demo.

    Args:
        argv: the words after `loopwatch demo`.

    Returns:
        0 when everything ran and was stopped in order, 1 when a part could not be started or the agent failed.
    """
    arguments = _parser().parse_args(argv)
    with _on_ending_signals(_interrupt):
        try:
            _make_folder(arguments.data_dir)
            return _run(arguments)
        except _Interrupted:
            return 0
        except ChildFailed as failure:
            sys.stderr.write(f"{_sentence(str(failure))}\n")
            return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="loopwatch demo", description="Start everything and watch agents at work.")
    parser.add_argument("--runs", type=int, default=24, help="how many runs the reference agent makes (default 24)")
    parser.add_argument("--seed", type=int, default=7, help="the same seed gives the same runs (default 7)")
    parser.add_argument("--port", type=int, default=4318, help="the collector's port (default 4318; 0: any free one)")
    parser.add_argument(
        "--dashboards-port", type=int, default=8501, help="the dashboards' (default 8501; 0: any free one)"
    )
    parser.add_argument(
        "--data-dir", type=Path, default=_default_data_dir(), help="where runs are kept (default .loopwatch)"
    )
    parser.add_argument(
        "--exit", action="store_true", help="stop everything after the runs instead of waiting for Ctrl-C"
    )
    return parser


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise ChildFailed(
            f"the folder {folder} cannot be made: {fault.strerror}; name another with --data-dir"
        ) from fault


def _default_data_dir() -> Path:
    return Path(os.environ.get("LOOPWATCH_DATA_DIR", ".loopwatch"))


# The demo talks to a collector of its own on the loopback: keys meant for another would only be refused there.
_NO_KEYS = {"LOOPWATCH_KEYS": "", "LOOPWATCH_API_KEY": ""}
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def _on_ending_signals(handler: Callable[[int, FrameType | None], None] | signal.Handlers) -> Iterator[None]:
    before = {number: signal.signal(number, handler) for number in _ENDING}
    try:
        yield
    finally:
        for number, handler_before in before.items():
            signal.signal(number, handler_before)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise _Interrupted


@contextmanager
def _running(child: Child, *, reports_ready: bool) -> Iterator[Child]:
    try:
        child.start(reports_ready=reports_ready)
        yield child
    finally:
        # A second Ctrl-C must not leave a process behind: it has to wait until this one has ended.
        with _on_ending_signals(signal.SIG_IGN):
            child.stop()


def _run(arguments: argparse.Namespace) -> int:
    folder = arguments.data_dir
    with ExitStack() as stack:
        _say("starting the collector ...")
        words = ["serve", "--port", str(arguments.port), "--data-dir", str(folder)]
        collector = Child("collector", words, folder=folder, settings=_NO_KEYS)
        stack.enter_context(_running(collector, reports_ready=True))
        endpoint = collector.wait_ready()["url"]
        _say("starting the dashboards ...")
        words = ["dashboards", "--port", str(arguments.dashboards_port), "--collector", endpoint]
        dashboards = Child("dashboards", words, folder=folder, settings=_NO_KEYS)
        stack.enter_context(_running(dashboards, reports_ready=True))
        stored_before = _stored_runs(endpoint)
        _say(f"running the incident resolver {arguments.runs} times against a simulated Messages API ...")
        agent = Child("agent", _agent_words(arguments, endpoint), folder=folder, settings=_NO_KEYS)
        stack.enter_context(_running(agent, reports_ready=False))
        _relay(agent)
        url = dashboards.wait_ready()["url"]
        _wait_stored(endpoint, stored_before + arguments.runs)
        _say_urls(url, endpoint)
        if not arguments.exit:
            _wait_for_end([collector, dashboards])
    return 0


def _agent_words(arguments: argparse.Namespace, endpoint: str) -> list[str]:
    options = {"--runs": arguments.runs, "--seed": arguments.seed, "--endpoint": endpoint}
    return ["agent", "run", "--capture", "--progress", *(str(word) for pair in options.items() for word in pair)]


def _relay(agent: Child) -> None:
    """Shows the agent's lines as it writes them, until it ends."""
    shown = 0
    while True:
        ended = agent.status()
        text = agent.log.read_text(errors="replace")
        if len(text) > shown:
            sys.stdout.write(text[shown:])
            sys.stdout.flush()
            shown = len(text)
        if ended is not None:
            break
        time.sleep(0.1)
    if ended:
        raise ChildFailed(f"the reference agent failed: {agent.last_words()} (its log is {agent.log})")


def _stored_runs(endpoint: str) -> int:
    now = datetime.now(UTC)
    times = {"from": (now - timedelta(days=3650)).isoformat(), "to": (now + timedelta(days=1)).isoformat()}
    answer = _get(f"{endpoint}/api/v1/queries/runs_summary?{urllib.parse.urlencode(times)}")
    columns = [column["name"] for column in answer["columns"]]
    return int(dict(zip(columns, answer["rows"][0], strict=True))["runs"]) if answer["rows"] else 0


def _get(url: str) -> dict[str, Any]:
    with urllib.request.urlopen(url, timeout=30) as reply:  # noqa: S310  # our own collector's http URL
        answer: dict[str, Any] = json.load(reply)
        return answer


def _wait_stored(endpoint: str, runs: int, timeout_s: float = 60) -> None:
    deadline = time.monotonic() + timeout_s
    while _stored_runs(endpoint) < runs:
        if time.monotonic() > deadline:
            raise ChildFailed(f"the collector stored fewer than the {runs} runs it was sent; see collector.log")
        time.sleep(0.1)


def _wait_for_end(children: list[Child]) -> None:
    _say("Ctrl-C stops everything; what was recorded stays.")
    while all(child.status() is None for child in children):
        time.sleep(0.2)
    ended = next(child for child in children if child.status() is not None)
    raise ChildFailed(f"the {ended.name} ended by itself: {ended.last_words()}")


def _say_urls(dashboards: str, endpoint: str) -> None:
    _say("")
    _say(f"dashboards   {dashboards}/?range=15m")
    _say(f"API          {endpoint}/docs")
    _say(f"OTLP         {endpoint}/v1/traces")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _sentence(text: str) -> str:
    return text if text.startswith("loopwatch") else f"loopwatch demo: {text}"
