"""`loopwatch import FILE --format chat`: recorded transcripts become runs of a running collector."""

import argparse
import json
import os
import re
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, cast

from tqdm import tqdm

from loopwatch_collector.counted import counted
from loopwatch_collector.importing.chat import ChatOptions, transcripts
from loopwatch_collector.importing.errors import ImportFailed, InvalidRecord, UnreadableFile
from loopwatch_collector.importing.otlp import record, request_of, run_id_of
from loopwatch_collector.importing.sender import Sender
from loopwatch_collector.importing.transcript import Transcript

_MAX_SPACING_S: Final = 366 * 86_400
_AGO: Final = re.compile(r"(\d{1,5})([smhdw])")
_UNIT_S: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}


def main(argv: list[str]) -> int:
    """Imports one file.

    Args:
        argv: the words after `loopwatch import`.

    Returns:
        0 when the collector has every run on disk, 1 when something stopped the import (a sentence on
        stderr says what).
    """
    arguments = _parser().parse_args(argv)
    try:
        _import(arguments)
    except ImportFailed as failure:
        sys.stderr.write(f"loopwatch import: {failure}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="loopwatch import", description="Turn recorded transcripts into runs.")
    parser.add_argument("file", type=Path, help="JSON (a list of records) or JSON lines (one record a line)")
    parser.add_argument("--format", choices=["chat"], default="chat", help="OpenAI-style messages with tool calls")
    parser.add_argument("--agent", help="the agent's name on every run (default: the file's name)")
    parser.add_argument("--model", default="", help="the model of messages that name none")
    parser.add_argument("--messages", default="", metavar="FIELD", help="where a record keeps its messages")
    parser.add_argument(
        "--id", action="append", default=[], metavar="FIELD", help="a field that names a run; repeatable"
    )
    parser.add_argument("--outcome", default="", metavar="FIELD", help="the field that says how a run ended")
    parser.add_argument(
        "--success", action="append", default=[], metavar="VALUE", help="a value of it that means completed"
    )
    parser.add_argument(
        "--tool-error", type=_pattern, metavar="REGEX", help="how the text of a failed tool result starts"
    )
    parser.add_argument("--tool-not-found", type=_pattern, metavar="REGEX", help="how the text of an empty one starts")
    parser.add_argument("--hand-over", type=_pattern, metavar="REGEX", help="the tools that hand a run to a human")
    for field in ("conversation", "customer", "user"):
        parser.add_argument(f"--{field}", default="", metavar="FIELD", help=f"the field with the {field}'s id")
    parser.add_argument(
        "--start",
        type=_moment,
        metavar="TIME",
        help="when the first run of a file without times started: ISO 8601, or how long ago, such as 2d",
    )
    parser.add_argument("--spacing", type=_spacing, default=60, metavar="SECONDS", help="from one such run to the next")
    parser.add_argument("--no-content", action="store_true", help="leave messages, arguments and results out")
    parser.add_argument("--endpoint", default=os.environ.get("LOOPWATCH_ENDPOINT", "http://127.0.0.1:4318"))
    return parser


def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as fault:
        raise argparse.ArgumentTypeError(f"{text!r} is not a regular expression: {fault}") from None


def _spacing(text: str) -> float:
    try:
        spacing_s = float(text)
    except ValueError:
        spacing_s = -1.0
    if not 0 <= spacing_s < _MAX_SPACING_S:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds from 0 on")
    return spacing_s


def _moment(text: str) -> int:
    ago = _AGO.fullmatch(text)
    if ago:
        return _epoch_ns(datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=int(ago[1]) * _UNIT_S[ago[2]]))
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a time; write 2026-01-31T09:00:00Z, or how long ago: 2d"
        ) from None
    return _epoch_ns(moment)


def _epoch_ns(moment: datetime) -> int:
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000_000 + since.microseconds * 1_000


def _import(arguments: argparse.Namespace) -> None:
    found = list(transcripts(_records(arguments.file), _options(arguments)))
    if not found:
        raise UnreadableFile(f"{arguments.file} holds no record: it wants JSON, or one record a line")
    sender = Sender(arguments.endpoint, os.environ.get("LOOPWATCH_API_KEY", ""))
    starts_ns: list[int] = []
    for position, transcript in enumerate(tqdm(found, desc="importing", unit="run")):
        start_ns = _start_ns(transcript, position, arguments, sender)
        recorded = record(transcript, start_ns, has_content=not arguments.no_content)
        sender.send(request_of(recorded))
        starts_ns.append(recorded.start_ns)
    runs = counted(len(found), "run")
    sys.stdout.write(f"{runs} of {arguments.file.name} are with the collector at {arguments.endpoint}\n")
    first, last = (datetime.fromtimestamp(at(starts_ns) // 10**9, UTC) for at in (min, max))
    after = last.replace(second=0) + timedelta(minutes=1)
    sys.stdout.write(
        f"see them: loopwatch runs list --from {first:%Y-%m-%dT%H:%M:%SZ} --to {after:%Y-%m-%dT%H:%M:%SZ}\n"
    )
    _warn_of_retention(first.date(), sender)


def _warn_of_retention(first_day: date, sender: Sender) -> None:
    kept = sender.first_kept_day()
    if kept is not None and first_day < kept:
        sys.stderr.write(
            f"loopwatch import: the first run is of {first_day}, and this collector keeps days from {kept} on: older "
            "ones are dropped at its next sweep, within the hour. Keep them with LOOPWATCH_RETENTION_DAYS, or import "
            "with a later --start\n"
        )


def _start_ns(transcript: Transcript, position: int, arguments: argparse.Namespace, sender: Sender) -> int | None:
    if transcript.has_times:
        return None
    stored = sender.stored_start(run_id_of(transcript))
    if stored is not None:
        # Another start would be another row of the same span: what is stored stays.
        return _epoch_ns(datetime.fromisoformat(stored))
    if arguments.start is None:
        raise InvalidRecord(position, "its messages have no times; say when the first run started with --start")
    return arguments.start + round(position * arguments.spacing * 1_000_000_000)


def _options(arguments: argparse.Namespace) -> ChatOptions:
    defaults = ChatOptions(agent=arguments.agent or arguments.file.stem)
    return ChatOptions(
        agent=defaults.agent,
        model=arguments.model,
        messages_key=arguments.messages,
        id_keys=tuple(arguments.id),
        outcome_key=arguments.outcome,
        success=frozenset(value.lower() for value in arguments.success) or defaults.success,
        tool_error=arguments.tool_error or defaults.tool_error,
        tool_not_found=arguments.tool_not_found,
        hand_over=arguments.hand_over or defaults.hand_over,
        conversation_key=arguments.conversation,
        customer_key=arguments.customer,
        user_key=arguments.user,
    )


def _records(file: Path) -> list[Any]:
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as fault:
        raise UnreadableFile(f"{file} cannot be read: {fault.strerror}") from fault
    except UnicodeDecodeError as fault:
        raise UnreadableFile(f"{file} is not UTF-8 text (byte {fault.start})") from fault
    try:
        whole: Any = json.loads(text)
    except ValueError:
        return list(_lines(file, text))
    if not isinstance(whole, list):
        return [whole]
    records = cast(list[Any], whole)
    # A list of messages is one transcript, not a list of them.
    is_transcript = bool(records) and all(isinstance(item, dict) and "role" in item for item in records)
    return [records] if is_transcript else records


def _lines(file: Path, text: str) -> Iterator[Any]:
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            try:
                yield json.loads(line)
            except ValueError as fault:
                raise UnreadableFile(f"{file} is neither JSON nor JSON lines: line {number}: {fault}") from fault
