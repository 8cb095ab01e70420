"""`loopwatch alerts`: list, test, acknowledge, silence, unsilence and check, through a collector's API."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from loopwatch_collector.alerts.amounts import format_value
from loopwatch_collector.alerts.durations import format_duration, parse_duration
from loopwatch_collector.alerts.rule_parsing import parse_rules
from loopwatch_collector.commands.reader import CollectorSilent, Reader
from loopwatch_collector.counted import counted

_DEFAULT_REPLAY: Final = "7d"
_STATES: Final = ("pending", "firing", "resolved")


def main(argv: list[str]) -> int:
    """Runs `loopwatch alerts ...`.

    Args:
        argv: the words after `alerts`.

    Returns:
        0; 1 when the collector does not answer, refuses, or a checked file has faults.
    """
    arguments = _parser().parse_args(argv)
    run: Callable[[argparse.Namespace], int] = arguments.run
    try:
        return run(arguments)
    except CollectorSilent as fault:
        sys.stderr.write(f"loopwatch alerts: {fault}\n")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="loopwatch alerts", description="What fires, and what would.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    listing = _command(commands, "list", _list, "list alerts, the latest first")
    listing.add_argument("--state", action="append", choices=_STATES, help="may be repeated")
    listing.add_argument("--rule", action="append", help="only of this rule; may be repeated")
    _command(commands, "rules", _rules, "list the rules in force")
    test = _command(commands, "test", _test, "replay a rule over history and say when it would have fired")
    test.add_argument("rule", help="name of a rule, or a TOML file with one rule")
    test.add_argument(
        "--from", dest="from_", metavar="TIME", help=f"start, ISO 8601 or a duration ago (default {_DEFAULT_REPLAY})"
    )
    test.add_argument("--to", metavar="TIME", help="end, ISO 8601 or a duration ago (default now)")
    test.add_argument("--step", help="time between evaluations (default half the window; an hour for a forecast)")
    ack = _command(commands, "ack", _acknowledge, "say that you know: the alert is not said again")
    ack.add_argument("alert_id")
    ack.add_argument("--note", default="", help="what you are doing about it")
    silence = _command(commands, "silence", _silence, "tell nobody for a while")
    silence.add_argument("--rule", help="only this rule (default every rule)")
    silence.add_argument(
        "--group", action="append", default=[], type=_pair, metavar="NAME=VALUE", help="such as customer=acme"
    )
    silence.add_argument("--for", dest="for_", metavar="DURATION", default="1h", help="how long (default 1h)")
    silence.add_argument("--reason", default="")
    _command(commands, "silences", _silences, "list the silences that are on")
    unsilence = _command(commands, "unsilence", _unsilence, "end silences: what still fires is told")
    unsilence.add_argument("silence_id", nargs="+", help="as `loopwatch alerts silences` lists it")
    check = _command(commands, "check", _check, "check a rules file; needs no collector")
    check.add_argument("file", type=Path)
    for command in (ack, silence):
        command.add_argument("--by", default=os.environ.get("USER", "cli"), help="who says so (default $USER)")
    return parser


def _command(
    commands: Any, name: str, run: Callable[[argparse.Namespace], int], summary: str
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=summary, description=summary.capitalize() + ".")
    parser.set_defaults(run=run)
    parser.add_argument("--endpoint", help="the collector (LOOPWATCH_ENDPOINT)")
    parser.add_argument("--json", action="store_true", help="print what the API answered")
    return parser


def _collector(arguments: argparse.Namespace) -> Reader:
    return Reader.from_environment(arguments.endpoint)


def _print(arguments: argparse.Namespace, answer: Any, lines: Sequence[str]) -> int:
    text = json.dumps(answer, indent=2) if arguments.json else "\n".join(lines)
    sys.stdout.write(text + "\n")
    return 0


def _list(arguments: argparse.Namespace) -> int:
    parameters = [("state", state) for state in arguments.state or ()] + [
        ("rule", rule) for rule in arguments.rule or ()
    ]
    answer = _collector(arguments).get("/alerts", parameters)
    lines = [_alert_line(alert) for alert in answer["alerts"]] or ["nothing fires"]
    return _print(arguments, answer, lines)


def _alert_line(alert: dict[str, Any]) -> str:
    marks = [f"acknowledged by {alert['acknowledged_by']}"] if alert["acknowledged_by"] else []
    marks += [f"silenced until {alert['silenced_until'][:16]}"] if alert["silenced_until"] else []
    note = f"  [{', '.join(marks)}]" if marks else ""
    since = f"{alert['started_at'][:19]}Z"
    return f"{alert['alert_id']}  {alert['state']:<8} {alert['severity']:<8} {since}  {alert['summary']}{note}"


def _rules(arguments: argparse.Namespace) -> int:
    answer = _collector(arguments).get("/rules")
    lines = [_rule_line(rule) for rule in answer["rules"]]
    lines += [f"fault in the rules file: {_fault_line(fault)}" for fault in answer["faults"]]
    return _print(arguments, answer, lines)


def _rule_line(rule: dict[str, Any]) -> str:
    switch = "on " if rule["enabled"] else "off"
    error = f"  [cannot be evaluated: {rule['state']['error']}]" if rule["state"]["error"] else ""
    return f"{switch}  {rule['name']:<24} {rule['source']:<9} {rule['severity']:<8} {rule['title']}{error}"


def _fault_line(fault: dict[str, Any]) -> str:
    return fault["message"] if fault["line"] is None else f"line {fault['line']}: {fault['message']}"


def _test(arguments: argparse.Namespace) -> int:
    parameters = [("from", _moment(arguments.from_ or _DEFAULT_REPLAY)), ("to", _moment(arguments.to or "0s"))]
    if arguments.step:
        parameters.append(("step_seconds", str(_duration(arguments.step))))
    collector = _collector(arguments)
    path = Path(arguments.rule)
    if path.suffix == ".toml":
        query = "&".join(f"{name}={value}" for name, value in parameters)
        answer = collector.post(f"/rules/test?{query}", {"toml": _only_rule(path)}, timeout_s=600)
    else:
        answer = collector.get(f"/rules/{arguments.rule}/test", parameters)
    return _print(arguments, answer, _replay_lines(answer))


def _only_rule(path: Path) -> str:
    """The text of a file's one rule; its channels are not asked for, since nobody is told."""
    result = parse_rules(_text_of(path), "file", os.environ)
    if result.faults:
        raise CollectorSilent("\n".join(f"{path}: {fault}" for fault in result.faults))
    if len(result.rules) != 1:
        raise CollectorSilent(
            f"{path} holds {counted(len(result.rules), 'rule')}; name a file with one, or a rule in force"
        )
    return result.rules[0].toml


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise CollectorSilent(f"cannot read {path}: {getattr(fault, 'strerror', None) or fault}") from fault


def _replay_lines(answer: dict[str, Any]) -> list[str]:
    found = [(alert, group["group"]) for group in answer["groups"] for alert in group["alerts"]]
    lines = [
        f"{alert['fired_at'][:19]}Z  {_ending(alert)}  peak {format_value(alert['peak_value'], answer['unit'])}"
        + "".join(f"  {name}={value}" for name, value in group.items())
        for alert, group in sorted(found, key=lambda entry: entry[0]["fired_at"])
    ]
    times = "once" if len(found) == 1 else f"{len(found)} times"
    lines.append(
        f"{answer['rule']} would have fired {times} between {answer['from'][:19]}Z and {answer['to'][:19]}Z "
        f"({counted(answer['evaluations'], 'evaluation')}, one every {format_duration(answer['step_s'])})"
    )
    return lines


def _ending(alert: dict[str, Any]) -> str:
    return f"for {format_duration(alert['duration_s']):<12}" if alert["resolved_at"] else "still firing    "


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise argparse.ArgumentTypeError(f"'{text}' is not NAME=VALUE, such as customer=acme")
    return name, value


def _moment(text: str) -> str:
    """ISO 8601 as it is; a duration as so long ago."""
    try:
        seconds = parse_duration(text)
    except ValueError:
        return text
    return str(round((datetime.now(UTC).timestamp() - seconds) * 1000))


def _duration(text: str) -> int:
    try:
        return parse_duration(text)
    except ValueError as wrong:
        raise CollectorSilent(str(wrong)) from wrong


def _acknowledge(arguments: argparse.Namespace) -> int:
    body = {"by": arguments.by, "note": arguments.note}
    answer = _collector(arguments).post(f"/alerts/{arguments.alert_id}/acknowledge", body)
    return _print(arguments, answer, [_alert_line(answer)])


def _silence(arguments: argparse.Namespace) -> int:
    body = {
        "rule": arguments.rule,
        "group": dict(arguments.group),
        "for_s": _duration(arguments.for_),
        "by": arguments.by,
        "reason": arguments.reason,
    }
    answer = _collector(arguments).post("/silences", body)
    return _print(arguments, answer, [_silence_line(answer)])


def _silences(arguments: argparse.Namespace) -> int:
    answer = _collector(arguments).get("/silences")
    return _print(arguments, answer, [_silence_line(one) for one in answer["silences"]] or ["nothing is silenced"])


def _silence_line(silence: dict[str, Any]) -> str:
    where = "".join(f" {name}={value}" for name, value in silence["group"].items())
    reason = f": {silence['reason']}" if silence["reason"] else ""
    what = f"{silence['rule'] or 'every rule'}{where}"
    return f"{silence['silence_id']}  {what} until {silence['until'][:19]}Z by {silence['by']}{reason}"


def _unsilence(arguments: argparse.Namespace) -> int:
    collector = _collector(arguments)
    for silence_id in arguments.silence_id:
        collector.delete(f"/silences/{quote(silence_id, safe='')}")
    ended = counted(len(arguments.silence_id), "silence")
    return _print(arguments, {"ended": arguments.silence_id}, [f"{ended} ended: what still fires is told"])


def _check(arguments: argparse.Namespace) -> int:
    result = parse_rules(_text_of(arguments.file), "file", os.environ)
    for fault in result.faults:
        sys.stderr.write(f"{arguments.file}: {fault}\n")
    _print(
        arguments,
        {"rules": [rule.name for rule in result.rules], "faults": [fault._asdict() for fault in result.faults]},
        [_well_formed(len(result.rules), len(result.channels))],
    )
    return 1 if result.faults else 0


def _well_formed(rules: int, channels: int) -> str:
    be = "is" if rules + channels == 1 else "are"
    return f"{counted(rules, 'rule')} and {counted(channels, 'channel')} {be} well formed"
