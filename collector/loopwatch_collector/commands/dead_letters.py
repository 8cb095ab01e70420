"""`loopwatch dead-letters`: list what could not be stored, show one, send one or all through the pipeline again."""

import argparse
import json
import sys
from typing import Any, Final

from loopwatch_collector.commands.reader import CollectorSilent, Reader

_SHOWN_ID_CHARS: Final = 12
_LIMIT: Final = 1000


def main(argv: list[str]) -> int:
    """Runs the command.

    Args:
        argv: the words after `loopwatch dead-letters`.

    Returns:
        0, or 1 with a sentence on stderr.
    """
    arguments = _parser().parse_args(argv)
    try:
        text = _ACTIONS[arguments.action](Reader.from_environment(arguments.endpoint), arguments)
    except CollectorSilent as fault:
        sys.stderr.write(f"loopwatch dead-letters: {fault}\n")
        return 1
    sys.stdout.write(text)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="loopwatch dead-letters",
        description="What was acknowledged and could not be stored. Needs a key with the role admin.",
    )
    actions = parser.add_subparsers(dest="action", required=True)
    listing = actions.add_parser("list", help="those that wait")
    listing.add_argument("--redriven", action="store_true", help="also those that were sent on again")
    show = actions.add_parser("show", help="one, with what is in it")
    show.add_argument("id", metavar="ID", help="its id, or the beginning of it")
    redrive = actions.add_parser("redrive", help="send one through the pipeline again, or all that wait")
    which = redrive.add_mutually_exclusive_group(required=True)
    which.add_argument("id", metavar="ID", nargs="?", help="its id, or the beginning of it")
    which.add_argument("--all", action="store_true", help="all that wait")
    for action in (listing, show, redrive):
        action.add_argument("--json", action="store_true", help="as the API answers")
        action.add_argument("--endpoint", metavar="URL", help="the collector; default LOOPWATCH_ENDPOINT")
    return parser


def _list(reader: Reader, arguments: argparse.Namespace) -> str:
    answer = reader.get("/dead-letters", [("redriven", str(arguments.redriven).lower()), ("limit", str(_LIMIT))])
    if arguments.json:
        return json.dumps(answer, indent=2) + "\n"
    letters = answer["dead_letters"]
    return "".join(_line(letter) for letter in letters) or "no dead letters\n"


def _line(letter: dict[str, Any]) -> str:
    done = "  (sent on again)" if letter["redriven_at"] else ""
    identity = f"{letter['id'][:_SHOWN_ID_CHARS]}  {letter['received_at']}  {letter['kind']:<7}"
    return f"{identity} {letter['body_bytes']:>9} bytes  {letter['reason']}{done}\n"


def _show(reader: Reader, arguments: argparse.Namespace) -> str:
    letter = reader.get(f"/dead-letters/{arguments.id}")
    if arguments.json:
        return json.dumps(letter, indent=2) + "\n"
    content = letter["content"]
    return _line(letter) + ("it does not decode\n" if content is None else json.dumps(content, indent=2) + "\n")


def _redrive(reader: Reader, arguments: argparse.Namespace) -> str:
    ids = [arguments.id]
    if arguments.all:
        ids = [letter["id"] for letter in reader.get("/dead-letters", [("limit", str(_LIMIT))])["dead_letters"]]
    answers = [reader.post(f"/dead-letters/{letter_id}/redrive", {}) for letter_id in ids]
    if arguments.json:
        return json.dumps({"redriven": [answer["id"] for answer in answers]}, indent=2) + "\n"
    return f"{len(answers)} sent on again; what is refused once more is listed as a new letter\n"


_ACTIONS: Final = {"list": _list, "show": _show, "redrive": _redrive}
