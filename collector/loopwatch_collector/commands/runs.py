"""`loopwatch runs list` and `loopwatch runs show`."""

import argparse
import json
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

from loopwatch import names
from loopwatch_collector.commands.reader import CollectorSilent, Reader

_FILTERS: Final = ("environment", "agent", "version", "model", "customer", "conversation", "outcome")
_DAY_MS: Final = 86_400_000
_LEAST_PREFIX_CHARS: Final = 4
_SHOWN_MATCHES: Final = 5
_MAX_LINE_CHARS: Final = 200
_COLUMNS: Final = ("run", "started", "agent", "outcome", "iterations", "tools", "errors", "tokens", "cost", "duration")
_NUMBERS: Final = {"iterations", "tools", "errors", "tokens", "cost", "duration"}


def main(argv: list[str]) -> int:
    """Runs the command.

    Args:
        argv: the words after `loopwatch runs`.

    Returns:
        The exit status: 0, or 1 with a sentence on stderr.
    """
    arguments = _parser().parse_args(argv)
    reader = Reader.from_environment(arguments.endpoint)
    try:
        text = _show(reader, arguments) if arguments.action == "show" else _list(reader, arguments)
    except CollectorSilent as fault:
        sys.stderr.write(f"loopwatch runs: {fault}\n")
        return 1
    sys.stdout.write(text)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="loopwatch runs", description="List runs, or show one.")
    actions = parser.add_subparsers(dest="action", required=True)
    listing = actions.add_parser("list", help="the latest runs")
    listing.add_argument("--from", dest="from_", metavar="TIME", help="ISO 8601 or epoch ms; default: a day ago")
    listing.add_argument("--to", metavar="TIME", help="ISO 8601 or epoch ms; default: now")
    listing.add_argument("--limit", type=int, default=50, help="at most so many (default %(default)s)")
    for name in _FILTERS:
        listing.add_argument(f"--{name}", action="append", default=[], metavar="VALUE", help="may be repeated")
    show = actions.add_parser("show", help="one run, its spans, decisions and loops, and the runs it started")
    show.add_argument("run_id", metavar="RUN", help="its id, or the beginning of it")
    for action in (listing, show):
        action.add_argument("--json", action="store_true", help="as the API answers")
        action.add_argument("--endpoint", metavar="URL", help="the collector; default LOOPWATCH_ENDPOINT")
    return parser


def _list(reader: Reader, arguments: argparse.Namespace) -> str:
    now_ms = int(time.time() * 1000)
    parameters = [
        ("from", arguments.from_ or str(now_ms - _DAY_MS)),
        # A run that starts while the answer is made still belongs to it.
        ("to", arguments.to or str(now_ms + 60_000)),
        ("limit", str(arguments.limit)),
        *((name, value) for name in _FILTERS for value in getattr(arguments, name)),
    ]
    answer = reader.get("/runs", parameters)
    if arguments.json:
        return json.dumps(answer, indent=2) + "\n"
    if not answer["runs"]:
        return "no runs in this range; --from and --to choose another\n"
    return _table([_COLUMNS, *(_run_cells(run) for run in answer["runs"])])


def _show(reader: Reader, arguments: argparse.Namespace) -> str:
    run = _run(reader, arguments.run_id)
    spans = reader.get(f"/runs/{quote(run['run_id'], safe='')}/spans")["spans"]
    if arguments.json:
        return json.dumps({**run, "spans": spans}, indent=2) + "\n"
    head = _table([_COLUMNS, _run_cells(run)])
    reason = run["outcome_reason"] or run["error_message"]
    lines = [head, f"because {reason}\n" if reason else "", "\n", *_tree(spans)]
    if run["child_runs"]:
        lines += ["\nruns it started\n", _table([_COLUMNS, *(_run_cells(child) for child in run["child_runs"])])]
    return "".join(lines)


def _run(reader: Reader, run_id: str) -> dict[str, Any]:
    """The run of an id, or of the beginning of one if no other run's begins so."""
    try:
        return reader.get(f"/runs/{quote(run_id, safe='')}")
    except CollectorSilent as fault:
        if fault.status != 404 or len(run_id) < _LEAST_PREFIX_CHARS or not run_id.isalnum():
            raise
        begun = [run["run_id"] for run in _containing(reader, run_id) if run["run_id"].startswith(run_id)]
        if not begun:
            raise
    if len(begun) > 1:
        shown = ", ".join(begun[:_SHOWN_MATCHES]) + (", ..." if len(begun) > _SHOWN_MATCHES else "")
        raise CollectorSilent(f"{len(begun)} runs begin with {run_id}: {shown}; write more of the id")
    return reader.get(f"/runs/{begun[0]}")


def _containing(reader: Reader, part: str) -> list[dict[str, Any]]:
    to_ms = int(time.time() * 1000) + _DAY_MS
    parameters = [("from", "0"), ("to", str(to_ms)), ("limit", "1000"), ("q", f'run ~ "{part}"')]
    return reader.get("/runs", parameters)["runs"]


def _run_cells(run: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        run["run_id"],
        _local_time(run["start_time"]),
        " ".join(part for part in (run["agent"], run["version"]) if part) or "-",
        run["outcome"],
        str(run["iterations"]) + (f"/{run['iteration_cap']}" if run["iteration_cap"] else ""),
        str(run["tool_calls"]),
        str(run["tool_errors"]),
        str(run["total_tokens"]),
        "-" if run["cost_usd"] is None else f"${run['cost_usd']:.4f}",
        _duration(run["duration_ns"]),
    )


def _tree(spans: Sequence[Mapping[str, Any]]) -> Iterable[str]:
    children: dict[str | None, list[Mapping[str, Any]]] = {}
    known = {span["span_id"] for span in spans}
    for span in spans:
        parent = span["parent_span_id"]
        children.setdefault(parent if parent in known else None, []).append(span)
    # With a stack, not by recursion: a chain of spans may be thousands deep.
    pending = [(span, 0) for span in reversed(children.get(None, []))]
    while pending:
        span, depth = pending.pop()
        yield f"{'  ' * depth}{_span_line(span)}\n"
        yield from (f"{'  ' * (depth + 1)}{line}\n" for line in map(_event_line, span["events"]) if line)
        pending.extend((child, depth + 1) for child in reversed(children.get(span["span_id"], [])))


def _span_line(span: Mapping[str, Any]) -> str:
    facts = [span["name"] or span["kind"], _duration(span["duration_ns"])]
    if span["kind"] == "model_call":
        facts.append(f"{span['input_tokens']} in, {span['output_tokens']} out")
        facts.append("counted elsewhere" if not span["counted"] else _cost(span["cost_usd"]))
    if span["tool_outcome"]:
        facts.append(span["tool_outcome"])
    if span["error_message"]:
        facts.append(span["error_message"].splitlines()[0][:120])
    return "  ".join(facts)


def _event_line(event: Mapping[str, Any]) -> str:
    """What an agent decided, why it handed over, a loop it ran in; "" for any other event."""
    said = event["attributes"]
    if event["name"] == names.DECISION_EVENT:
        confidence = said.get(names.DECISION_CONFIDENCE)
        line = f"decided {said.get(names.DECISION_NAME, '')}: {said.get(names.DECISION_CHOICE, '')}"
        line += "" if confidence is None else f"  confidence {float(confidence):.2f}"
        reasoning = said.get(names.DECISION_REASONING, "")
    elif event["name"] == names.LOOP_EVENT:
        line = f"loop {said.get(names.LOOP_KIND, '')}"
        reasoning = said.get(names.LOOP_EXPLANATION, "")
    elif event["name"] == names.ESCALATION_EVENT:
        line = f"escalated  priority {said.get(names.ESCALATION_PRIORITY, '-')}"
        reasoning = said.get(names.ESCALATION_REASON, "")
    else:
        return ""
    return " ".join(f"{line}  {reasoning}".split("\n"))[:_MAX_LINE_CHARS].rstrip()


def _cost(cost_usd: float | None) -> str:
    return "no price" if cost_usd is None else f"${cost_usd:.6f}"


def _duration(duration_ns: int) -> str:
    milliseconds = duration_ns / 1_000_000
    return f"{milliseconds:.0f} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"


def _local_time(text: str) -> str:
    moment = datetime.fromisoformat(text).astimezone(UTC)
    return moment.strftime("%Y-%m-%d %H:%M:%SZ")


def _table(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[i]) for row in rows) for i in range(len(_COLUMNS))]
    return "".join(
        "  ".join(
            cell.rjust(width) if name in _NUMBERS else cell.ljust(width)
            for cell, width, name in zip(row, widths, _COLUMNS, strict=True)
        ).rstrip()
        + "\n"
        for row in rows
    )
