"""`loopwatch exec agent.py`: runs a program with recording on and no line of it changed.

What it finds is used by public means only: the Anthropic client has spans of its own, and any OpenTelemetry
instrumentation that is installed is switched on by its entry point. The program itself becomes one run, named after
the file, unless its own code opens runs.
"""

import argparse
import importlib.metadata
import importlib.util
import runpy
import sys
from pathlib import Path
from typing import Any

from loopwatch import agents, process
from loopwatch.errors import ConfigurationError
from loopwatch.faults import logger

_SPANS_OF_THEIR_OWN = ("anthropic",)
"""Instrumentations of clients that record themselves: switched on too, each call would be there twice."""


def main(argv: list[str]) -> int:
    """Runs `loopwatch exec`.

    Args:
        argv: options, then the program and its own arguments.

    Returns:
        The program's exit status.
    """
    parser = argparse.ArgumentParser(prog="loopwatch exec", description="Run a program with recording on.")
    parser.add_argument("--endpoint", help="the collector's base URL (default: LOOPWATCH_ENDPOINT)")
    parser.add_argument("--service-name", help="the service's name (default: the program's)")
    parser.add_argument("--capture", help="kinds of content: all, or input,output,tool_calls,errors")
    parser.add_argument("-m", dest="module", action="store_true", help="run a module by its name instead of a file")
    parser.add_argument("--no-run", action="store_true", help="do not make the whole program a run")
    parser.add_argument("program", help="the file, or with -m the module")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="the program's own")
    chosen = parser.parse_args(argv)
    if not chosen.module and not Path(chosen.program).is_file():
        sys.stderr.write(f"loopwatch exec: there is no file {chosen.program!r}\n")
        return 2
    sys.path.insert(0, "" if chosen.module else str(Path(chosen.program).resolve().parent))
    if chosen.module and not _is_runnable(chosen.program):
        sys.stderr.write(f"loopwatch exec: there is no module {chosen.program!r} to run\n")
        return 2
    name = chosen.program.rpartition(".")[2] if chosen.module else Path(chosen.program).stem
    try:
        process.configure(service_name=chosen.service_name or name, endpoint=chosen.endpoint, capture=chosen.capture)
    except ConfigurationError as fault:
        sys.stderr.write(f"loopwatch exec: {fault}\n")
        return 2
    instrument()
    sys.argv = [chosen.program, *chosen.arguments]
    try:
        _run(chosen.program, chosen.module, None if chosen.no_run else name)
    finally:
        process.shutdown()
    return 0


def _is_runnable(module: str) -> bool:
    """Whether `python -m` would find it: a module, or a package with a `__main__`."""
    try:
        spec = importlib.util.find_spec(module)
        if spec is not None and spec.submodule_search_locations is not None:
            spec = importlib.util.find_spec(f"{module}.__main__")
    except (ImportError, ValueError):
        return False
    return spec is not None


def _run(program: str, is_module: bool, run_name: str | None) -> None:
    if run_name is None:
        _execute(program, is_module)
        return
    with agents.agent(name=run_name):
        _execute(program, is_module)


def _execute(program: str, is_module: bool) -> None:
    if is_module:
        runpy.run_module(program, run_name="__main__", alter_sys=True)
    else:
        runpy.run_path(program, run_name="__main__")


def instrument() -> list[str]:
    """Switches on the OpenTelemetry instrumentations that are installed.

    Returns:
        The names of those that came on.
    """
    came_on: list[str] = []
    for entry in importlib.metadata.entry_points(group="opentelemetry_instrumentor"):
        if entry.name in _SPANS_OF_THEIR_OWN:
            continue
        try:
            instrumentor: Any = entry.load()()
            instrumentor.instrument()
        except Exception as fault:  # noqa: BLE001 - somebody else's package, which must not stop the program
            logger.warning("loopwatch exec: instrumentation %s could not be switched on: %s", entry.name, fault)
        else:
            came_on.append(entry.name)
    return came_on
