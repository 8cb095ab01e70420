"""`loopwatch backup`: the embedded store of a running collector."""

import argparse
import json
import sys
from typing import Any, Final

from loopwatch_collector.commands.reader import CollectorSilent, Reader

_TIMEOUT_S: Final = 3600


def main(argv: list[str]) -> int:
    """Runs the command.

    Args:
        argv: the words after `loopwatch backup`.

    Returns:
        The exit status: 0, or 1 with a sentence on stderr.
    """
    arguments = _parser().parse_args(argv)
    reader = Reader.from_environment(arguments.endpoint)
    try:
        answer = _list(reader) if arguments.list else _take(reader, arguments)
    except CollectorSilent as fault:
        sys.stderr.write(f"loopwatch backup: {fault}\n")
        return 1
    sys.stdout.write(json.dumps(answer, indent=2) + "\n" if arguments.json else "".join(map(_line, answer)))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="loopwatch backup", description="Back up the embedded store of a running collector."
    )
    parser.add_argument("--name", default="", help="the backup's name (default: the time)")
    parser.add_argument("--incremental", action="store_true", help="only what the latest backup does not have")
    parser.add_argument("--list", action="store_true", help="list the backups instead")
    parser.add_argument("--json", action="store_true", help="as the API answers")
    parser.add_argument("--endpoint", metavar="URL", help="the collector; default LOOPWATCH_ENDPOINT")
    return parser


def _list(reader: Reader) -> list[dict[str, Any]]:
    return reader.get("/backups")["backups"]


def _take(reader: Reader, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    earlier = _list(reader) if arguments.incremental else []
    if arguments.incremental and not earlier:
        raise CollectorSilent("there is no backup to continue; take a whole one first, without --incremental")
    base = earlier[0]["name"] if earlier else ""
    return [reader.post("/backups", {"name": arguments.name, "base": base}, _TIMEOUT_S)]


def _line(backup: dict[str, Any]) -> str:
    base = f" on {backup['base']}" if backup["base"] else ""
    return f"{backup['name']}{base}  {backup['bytes_on_disk']} bytes\n"
