"""`loopwatch rebuild runs`: derives all runs of a running collector again from their spans."""

import argparse
import json
import sys
from typing import Final

from loopwatch_collector.commands.reader import CollectorSilent, Reader
from loopwatch_collector.counted import counted

_TIMEOUT_S: Final = 6 * 3600


def main(argv: list[str]) -> int:
    """Runs the command.

    Args:
        argv: the words after `loopwatch rebuild`.

    Returns:
        The exit status: 0, or 1 with a sentence on stderr.
    """
    parser = argparse.ArgumentParser(prog="loopwatch rebuild", description="Derive what is derived again.")
    parser.add_argument("what", choices=["runs"], help="which table")
    parser.add_argument("--json", action="store_true", help="as the API answers")
    parser.add_argument("--endpoint", metavar="URL", help="the collector; default LOOPWATCH_ENDPOINT")
    arguments = parser.parse_args(argv)
    try:
        rebuilt = Reader.from_environment(arguments.endpoint).post("/rebuild/runs", {}, _TIMEOUT_S)
    except CollectorSilent as fault:
        sys.stderr.write(f"loopwatch rebuild: {fault}\n")
        return 1
    line = f"derived {counted(rebuilt['runs'], 'run')} on {counted(rebuilt['days'], 'day')} again\n"
    sys.stdout.write(json.dumps(rebuilt) + "\n" if arguments.json else line)
    return 0
