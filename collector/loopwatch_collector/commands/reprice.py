"""`loopwatch reprice`: stored model calls at today's prices, day by day, the difference first."""

import argparse
import json
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from loopwatch_collector.commands.reader import CollectorSilent, Reader
from loopwatch_collector.counted import counted

_TIMEOUT_S: Final = 3600


def main(argv: list[str]) -> int:
    """Runs the command.

    Args:
        argv: the words after `loopwatch reprice`.

    Returns:
        The exit status: 0; 2 for days in the wrong order; 1 with a sentence on stderr that names the day to go on from.
    """
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.from_ > arguments.to:
        parser.error(f"--from {arguments.from_} is later than --to {arguments.to}: there is no day between them")
    reader = Reader.from_environment(arguments.endpoint)
    total = 0.0
    for day in _days(arguments.from_, arguments.to):
        try:
            answer = reader.post("/reprice", {"day": day.isoformat(), "apply": arguments.apply}, _TIMEOUT_S)
        except CollectorSilent as fault:
            sys.stderr.write(f"loopwatch reprice: {fault}; go on with --from {day.isoformat()}\n")
            return 1
        sys.stdout.write(json.dumps(answer) + "\n" if arguments.json else _lines(answer))
        total += answer["after_usd"] - answer["before_usd"]
    if not arguments.json:
        sys.stdout.write(_conclusion(total, applied=arguments.apply))
    return 0


def _parser() -> argparse.ArgumentParser:
    today = datetime.now(UTC).date()
    parser = argparse.ArgumentParser(
        prog="loopwatch reprice",
        description="Price stored model calls again. Without --apply it only says what changes.",
    )
    parser.add_argument("--from", dest="from_", type=date.fromisoformat, default=today - timedelta(days=30),
                        metavar="DAY", help="first day, UTC (default: 30 days ago)")  # fmt: skip
    parser.add_argument("--to", type=date.fromisoformat, default=today, metavar="DAY", help="last day (default: today)")
    parser.add_argument("--apply", action="store_true", help="write the new prices")
    parser.add_argument("--json", action="store_true", help="one line of JSON a day, as the API answers")
    parser.add_argument("--endpoint", metavar="URL", help="the collector; default LOOPWATCH_ENDPOINT")
    return parser


def _days(first: date, last: date) -> Iterator[date]:
    for offset in range((last - first).days + 1):
        yield first + timedelta(days=offset)


def _lines(answer: dict[str, Any]) -> str:
    if not answer["changed_calls"]:
        return f"{answer['day']}  {counted(answer['calls'], 'call')}, none changes\n"
    head = f"{answer['day']}  {answer['changed_calls']} of {counted(answer['calls'], 'call')}: {_change(answer)}\n"
    return head + "".join(f"    {model['provider']} {model['model']}: {_change(model)}\n" for model in answer["models"])


def _change(entry: dict[str, Any]) -> str:
    return f"${entry['before_usd']:.4f} -> ${entry['after_usd']:.4f}"


def _conclusion(difference_usd: float, *, applied: bool) -> str:
    done = "written" if applied else "nothing was written; --apply writes it"
    return f"in all {difference_usd:+.4f} USD; {done}\n"
