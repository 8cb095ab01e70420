"""The `loopwatch` command: a table of subcommands, each "module:function" by name.

A subcommand's part is imported only when it is called, so the base install answers `loopwatch --help`
without the collector, the dashboards or the reference agent; a part that is missing is named together
with the extra that brings it.
"""

import importlib
import importlib.metadata
import sys
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from typing import NamedTuple, TextIO


class Command(NamedTuple):
    """One subcommand: what it is for, where it lives, and the extra that installs it; none for the base install."""

    summary: str
    target: str
    extra: str


COMMANDS: dict[str, Command] = {
    "demo": Command("start everything and watch agents at work", "loopwatch_reference.demo:main", "all"),
    "serve": Command("run the collector", "loopwatch_collector.server:main", "collector"),
    "doctor": Command("say what is wrong and how to mend it", "loopwatch_collector.doctor:main", "collector"),
    "dashboards": Command("run the dashboards", "loopwatch_dashboards.server:main", "dashboards"),
    "runs": Command("list runs, or show one", "loopwatch_collector.commands.runs:main", "collector"),
    "import": Command("turn recorded transcripts into runs", "loopwatch_collector.importing.command:main", "collector"),
    "simulate": Command("send a fleet that never was", "loopwatch_collector.simulate.command:main", "collector"),
    "export": Command("write stored rows as Parquet", "loopwatch_collector.commands.export:main", "collector"),
    "delete": Command(
        "delete a conversation, customer or user", "loopwatch_collector.commands.delete:main", "collector"
    ),
    "backup": Command("back up a running collector's store", "loopwatch_collector.commands.backup:main", "collector"),
    "restore": Command("restore a backup", "loopwatch_collector.commands.restore:main", "collector"),
    "migrate": Command("move a store to a ClickHouse server", "loopwatch_collector.commands.migrate:main", "collector"),
    "reprice": Command("price stored calls again", "loopwatch_collector.commands.reprice:main", "collector"),
    "rebuild": Command("derive runs again from spans", "loopwatch_collector.commands.rebuild:main", "collector"),
    "alerts": Command("what fires, and what would", "loopwatch_collector.alerts.command:main", "collector"),
    "dead-letters": Command(
        "list, show or send on what could not be stored", "loopwatch_collector.commands.dead_letters:main", "collector"
    ),
    "exec": Command("run a program with recording on, no code changed", "loopwatch.exec_command:main", ""),
    "agent": Command("run a reference agent", "loopwatch_reference.command:main", "agent"),
}


def _usage() -> str:
    width = max(len(name) for name in COMMANDS)
    lines = [f"  {name:<{width}}  {command.summary}" for name, command in COMMANDS.items()]
    return "\n".join(
        [
            "usage: loopwatch COMMAND [OPTIONS]",
            "       loopwatch --version",
            "",
            *lines,
            "",
            "loopwatch COMMAND --help says more of each.",
        ]
    )


def _load(name: str, command: Command) -> Callable[[list[str]], int]:
    module_name, function_name = command.target.split(":")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as missing:
        raise SystemExit(
            f"loopwatch {name} needs a part that is not installed ({missing.name}): "
            f"pip install 'loopwatch{f'[{command.extra}]' if command.extra else ''}'"
        ) from missing
    return getattr(module, function_name)


def _write(text: str, stream: TextIO) -> None:
    stream.write(text + "\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one subcommand.

    Args:
        argv: the words after `loopwatch`; the process's own when None.

    Returns:
        The exit status: 0 for success, 2 for a command that does not exist, else the subcommand's.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] in {"-h", "--help"}:
        _write(_usage(), sys.stdout)
        return 0
    if words[0] in {"-V", "--version"}:
        _write(f"loopwatch {importlib.metadata.version('loopwatch')}", sys.stdout)
        return 0
    name = words[0]
    if name not in COMMANDS:
        meant = get_close_matches(name, COMMANDS, n=1)
        asked = f"; did you mean '{meant[0]}'?" if meant else ""
        _write(f"loopwatch: there is no command '{name}'{asked}\n\n{_usage()}", sys.stderr)
        return 2
    return _load(name, COMMANDS[name])(words[1:])


if __name__ == "__main__":
    sys.exit(main())
