"""`loopwatch delete`: a conversation, a customer or a user, everywhere."""

import argparse
import json
import sys
import time
from typing import Any, Final

from loopwatch_collector.commands.reader import CollectorSilent, Reader
from loopwatch_collector.counted import counted

_FIELDS: Final = ("conversation", "customer", "user")
_LOOK_S: Final = 0.2


def main(argv: list[str]) -> int:
    """Runs the command.

    Args:
        argv: the words after `loopwatch delete`.

    Returns:
        0 when a count found nothing left, 1 with a sentence on stderr otherwise.
    """
    arguments = _parser().parse_args(argv)
    field = next(field for field in _FIELDS if getattr(arguments, field) is not None)
    reader = Reader.from_environment(arguments.endpoint)
    try:
        asked = reader.post("/deletions", {"field": field, "value": getattr(arguments, field)})
        done = _wait(reader, asked["deletion_id"], arguments.wait)
    except CollectorSilent as fault:
        sys.stderr.write(f"loopwatch delete: {fault}\n")
        return 1
    if done is None:
        sys.stderr.write(f"loopwatch delete: not finished after {arguments.wait:g} s; the collector goes on with it\n")
        return 1
    sys.stdout.write(json.dumps(done, indent=2) + "\n" if arguments.json else _sentence(done))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="loopwatch delete",
        description="Delete everything of a conversation, customer or user, and prove it by a count.",
    )
    whose = parser.add_mutually_exclusive_group(required=True)
    for field in _FIELDS:
        whose.add_argument(f"--{field}", metavar="ID")
    parser.add_argument("--wait", type=float, default=600, metavar="SECONDS", help="how long to wait (default 600)")
    parser.add_argument("--json", action="store_true", help="as the API answers")
    parser.add_argument("--endpoint", metavar="URL", help="the collector; default LOOPWATCH_ENDPOINT")
    return parser


def _wait(reader: Reader, deletion_id: str, timeout_s: float) -> dict[str, Any] | None:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        known = reader.get("/deletions")["deletions"]
        done = next((one for one in known if one["deletion_id"] == deletion_id and one["finished_at"]), None)
        if done:
            return done
        time.sleep(_LOOK_S)
    return None


def _sentence(done: dict[str, Any]) -> str:
    return (
        f"deleted {done['field']} {done['value']}: {counted(done['runs'], 'run')}, {counted(done['spans'], 'span')}, "
        f"{counted(done['contents'], 'content')}, {counted(done['log_events'], 'log event')}, "
        f"{counted(done['metric_points'], 'metric point')}, {counted(done['verdicts'], 'verdict')}; "
        "a count found nothing left\n"
    )
