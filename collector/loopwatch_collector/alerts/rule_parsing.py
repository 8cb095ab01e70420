"""Rules from TOML, and the channels beside them: every fault found, each with its line."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from loopwatch_collector.alerts.channel_parsing import ChannelSettings, near, read_channel
from loopwatch_collector.alerts.condition_parsing import CONDITION_KINDS, parse_condition
from loopwatch_collector.alerts.durations import parse_duration
from loopwatch_collector.alerts.errors import Fault, InvalidRule
from loopwatch_collector.alerts.evidence import names_runs
from loopwatch_collector.alerts.grouping import choices_of, grouping_of, needs_group
from loopwatch_collector.alerts.rule import SEVERITIES, Rule, Source
from loopwatch_collector.alerts.sources import OWN, source_named, source_names
from loopwatch_collector.alerts.toml_lines import Lines, Path, load_toml
from loopwatch_collector.queries.catalogue import FILTERS, NamedQuery, catalogue
from loopwatch_collector.queries.errors import InvalidParameter
from loopwatch_collector.queries.runner import Question, bind

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_REQUIRED: Final = ("name", "title", "query", "value", "condition")


@dataclass(slots=True)
class RulesFile:
    """What a document says; `delivered` is whether the delivered rules are wanted beside its own."""

    rules: list[Rule] = field(default_factory=list[Rule])
    channels: list[ChannelSettings] = field(default_factory=list[ChannelSettings])
    faults: list[Fault] = field(default_factory=list[Fault])
    delivered: bool = True


def parse_rules(
    text: str,
    source: Source,
    environment: Mapping[str, str] | None = None,
    channels: Collection[str] | None = None,
) -> RulesFile:
    """Reads a rules document; rules without a fault are in the result beside the faults of the others.

    Args:
        text: TOML with `[[rule]]` tables and `[channels.NAME]` tables.
        source: where it comes from.
        environment: what `${NAME}` in a channel stands for.
        channels: those there are beside the document's own, which a rule may name; None where nobody knows. A file
            holds all there are.
    """
    try:
        document, lines = load_toml(text)
    except InvalidRule as broken:
        return RulesFile(faults=broken.faults)
    result = RulesFile(delivered=document.get("delivered") is not False)
    if not isinstance(document.get("delivered", True), bool):
        result.faults.append(Fault(lines.of(("delivered",)), "delivered must be true or false"))
    for key in document.keys() - {"rule", "channels", "delivered"}:
        result.faults.append(
            Fault(lines.of((key,)), f"'{key}' is neither [[rule]] nor [channels.NAME]{near(key, ('rule', 'channels'))}")
        )
    tables = document.get("rule", [])
    if not isinstance(tables, list):
        result.faults.append(Fault(lines.of(("rule",)), "a rule begins with [[rule]], in double brackets"))
        tables = []
    texts = _texts(text, lines, len(tables))  # pyright: ignore[reportUnknownArgumentType]  # of a TOML array
    for index, table in enumerate(tables):  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]  # the same
        _RuleReader(table, lines, ("rule", index), source, texts[index]).read_into(result)  # pyright: ignore[reportUnknownArgumentType]  # the same
    for name, table in document.get("channels", {}).items():
        channel = read_channel(name, table, lines, environment or {}, result.faults)
        result.channels.extend([channel] if channel else [])
    if source == "file" or channels is not None:
        known = {*document.get("channels", {}), *(channels or ())}
        _refuse_unknown_channels(result, lines, tables, known)  # pyright: ignore[reportUnknownArgumentType]  # the same
    _refuse_doubles(result, lines, tables)  # pyright: ignore[reportUnknownArgumentType]  # the same
    result.faults.sort(key=lambda fault: fault.line or 0)
    return result


def parse_rule(text: str, source: Source, channels: Collection[str] | None = None) -> Rule:
    """Reads a document that holds one rule.

    Args:
        text: TOML with one `[[rule]]`.
        source: where it comes from.
        channels: see `parse_rules`.

    Raises:
        InvalidRule: it holds another number of them, or there is a fault.
    """
    result = parse_rules(text, source, channels=channels)
    if result.faults:
        raise InvalidRule(result.faults)
    if len(result.rules) != 1:
        raise InvalidRule([Fault(None, f"one [[rule]] is wanted here, not {len(result.rules)}")])
    if result.channels:
        raise InvalidRule([Fault(None, "a [[rule]] alone is wanted here; channels stand in the rules file")])
    return result.rules[0]


def _texts(text: str, lines: Lines, count: int) -> list[str]:
    """Each rule's own text, comments above it left out."""
    all_lines = text.splitlines()
    starts = [lines.of(("rule", index)) or 1 for index in range(count)]
    heads = [number for number, line in enumerate(all_lines, 1) if re.match(r"\s*\[(\[rule\]|channels)", line)]
    texts: list[str] = []
    for start in starts:
        end = min((head for head in heads if head > start), default=len(all_lines) + 1)
        body = "\n".join(all_lines[start - 1 : end - 1])
        texts.append(re.sub(r"(\n\s*(#.*)?)*$", "", body) + "\n")
    return texts


class _RuleReader:
    """Reads one [[rule]] table, noting what is wrong."""

    def __init__(self, table: Any, lines: Lines, path: Path, source: Source, text: str) -> None:
        self.table: dict[str, Any] = table if isinstance(table, dict) else {}
        self.lines = lines
        self.path = path
        self.source: Source = source
        self.text = text
        self.faults: list[Fault] = []

    def read_into(self, result: RulesFile) -> None:
        fields = self.fields()
        if self.faults:
            result.faults.extend(self.faults)
        else:
            result.rules.append(Rule(**fields, source=self.source, toml=self.text))

    def fault(self, key: str, message: str) -> None:
        self.faults.append(Fault(self.lines.of((*self.path, key)), message))

    def fields(self) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        for key, value in self.table.items():
            if key not in _FIELDS:
                self.fault(key, f"a rule has no '{key}'{near(key, _FIELDS)}")
                continue
            name, parse = _FIELDS[key]
            try:
                fields[name] = parse(value)
            except (ValueError, TypeError) as wrong:
                self.fault(key, f"{key}: {wrong}")
        for key in _REQUIRED:
            if key not in self.table:
                self.fault(key, f"a rule needs '{key}'")
        if "condition" in fields:
            self._check_window(fields)
        if "query" in fields:
            self._check_query(fields)
        return fields

    def _check_window(self, fields: dict[str, Any]) -> None:
        kind = type(fields["condition"]).__name__.lower()
        if "window" in self.table and kind == "forecast":
            self.fault("window", "a forecast looks at its whole period and takes no window")
        elif "window" not in self.table and kind != "forecast":
            self.fault("condition", "a rule needs 'window', such as \"1h\"")
        fields.setdefault("window_s", 86_400)

    def _check_query(self, fields: dict[str, Any]) -> None:
        query = source_named(fields["query"])
        if query is None:
            self.fault("query", f"there is no query '{fields['query']}'{near(fields['query'], source_names())}")
            return
        columns = {column.name: column for column in query.columns}
        if "bucket" in columns:
            self.fault("query", f"query {query.name} cuts the window into pieces of time; a rule judges it as a whole")
            return
        for key, wanted in self._columns(fields):
            if wanted not in columns or columns[wanted].unit in {"text", "time"}:
                numeric = [name for name, column in columns.items() if column.unit not in {"text", "time"}]
                self.fault(key, f"query {query.name} has no number '{wanted}'; it has {', '.join(numeric)}")
            elif key == "value":
                fields["unit"] = "ratio" if hasattr(fields.get("condition"), "of") else columns[wanted].unit
        self._check_evidence(fields)
        self._check_params(query, fields)
        self._check_group(query, fields)

    def _columns(self, fields: dict[str, Any]) -> list[tuple[str, str]]:
        wanted = [("value", fields["value"])] if "value" in fields else []
        condition = fields.get("condition")
        others = [*getattr(condition, "of", ()), getattr(condition, "sample", ""), getattr(condition, "noise", "")]
        return wanted + [("condition", column) for column in others if column]

    def _check_evidence(self, fields: dict[str, Any]) -> None:
        name = fields.get("evidence", "cost_top_runs")
        query = catalogue().get(name)
        if query is None:
            self.fault("evidence", f"there is no query '{name}'{near(name, catalogue())}")
        elif not names_runs(query):
            able = ", ".join(sorted(one.name for one in catalogue().values() if names_runs(one)))
            self.fault("evidence", f"query {name} names no runs without more being said; these do: {able}")

    def _check_params(self, query: NamedQuery, fields: dict[str, Any]) -> None:
        known, found_before = {param.name: param for param in query.params}, len(self.faults)
        for name, value in fields.get("params", {}).items():
            if name not in known:
                self.fault("params", f"query {query.name} has no parameter '{name}'{near(name, known)}")
            elif known[name].values and value not in known[name].values:
                self.fault("params", f"{name} must be one of {', '.join(known[name].values)}, not '{value}'")
        if query.name in OWN:
            if fields.get("filters"):
                self.fault("filters", f"{query.name} cannot be filtered")
        elif len(self.faults) == found_before:
            try:
                bind(query, Question(query.name, "", 0, 0, fields.get("params", {})))
            except InvalidParameter as wrong:
                self.fault("params", str(wrong))

    def _check_group(self, query: NamedQuery, fields: dict[str, Any]) -> None:
        group = fields.get("group_by", "")
        if not group:
            if needs_group(query, fields.get("params", {})):
                choices = ", ".join(choices_of(query))
                self.fault("query", f"query {query.name} answers many rows: say group_by = one of {choices}")
            return
        try:
            grouping = grouping_of(query, group)
        except ValueError as wrong:
            self.fault("group_by", str(wrong))
            return
        if grouping.params:
            fields["params"] = {**fields.get("params", {}), **grouping.params}
        fields["group_column"] = grouping.column


def _name(value: Any) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise ValueError(f"{value!r} must be lower-case letters, digits and hyphens, at most 63")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{value!r} must be a text")
    return value.strip()


def _seconds(value: Any) -> int:
    if not isinstance(value, str):
        raise ValueError(f'{value!r} must be a duration in quotes, such as "15m"')  # noqa: TRY004 one class of fault
    return parse_duration(value)


def _positive_seconds(value: Any) -> int:
    seconds = _seconds(value)
    if seconds < 1:
        raise ValueError("must be at least 1s")
    return seconds


def _texts_by_name(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise ValueError(f"{value!r} must be a table, such as {{ team = 'agents' }}")  # noqa: TRY004 one class of fault
    return {str(name): str(entry) for name, entry in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]  # of a TOML table


def _channels(value: Any) -> tuple[str, ...]:
    names = _strings(value)
    if not names:
        raise ValueError("names no channel; leave it out to tell every channel")
    return names


def _filters(value: Any) -> dict[str, tuple[str, ...]]:
    if not isinstance(value, dict):
        raise ValueError(f"{value!r} must be a table, such as {{ environment = ['production'] }}")  # noqa: TRY004 one class of fault
    filters: dict[str, tuple[str, ...]] = {}
    for name, entry in value.items():  # pyright: ignore[reportUnknownVariableType]  # of a TOML table
        if name not in FILTERS:
            raise ValueError(f"there is no filter '{name}'; filters are {', '.join(FILTERS)}")
        filters[str(name)] = _strings([entry] if isinstance(entry, str) else entry)  # pyright: ignore[reportUnknownArgumentType]  # the same
    return filters


def _strings(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):  # pyright: ignore[reportUnknownVariableType]  # of a TOML array
        raise ValueError(f"{value!r} must be a list of texts")
    return tuple(str(entry) for entry in value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]  # the same


def _severity(value: Any) -> str:
    if value not in SEVERITIES:
        raise ValueError(f"{value!r} must be one of {', '.join(SEVERITIES)}")
    return value


def _timezone(value: Any) -> str:
    try:
        ZoneInfo(_text(value))
    except (ZoneInfoNotFoundError, OSError) as unknown:
        raise ValueError(f"there is no time zone {value!r}; one is named like Europe/Berlin") from unknown
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{value!r} must be true or false")  # noqa: TRY004 one class of fault
    return value


_FIELDS: Final[dict[str, tuple[str, Callable[[Any], Any]]]] = {
    "name": ("name", _name),
    "title": ("title", _text),
    "description": ("description", _text),
    "query": ("query", _text),
    "params": ("params", _texts_by_name),
    "filters": ("filters", _filters),
    "value": ("value", _text),
    "group_by": ("group_by", _text),
    "condition": ("condition", parse_condition),
    "window": ("window_s", _positive_seconds),
    "every": ("every_s", _positive_seconds),
    "for": ("for_s", _seconds),
    "resolve_after": ("resolve_after_s", _seconds),
    "renotify_after": ("renotify_after_s", _seconds),
    "timezone": ("timezone", _timezone),
    "severity": ("severity", _severity),
    "labels": ("labels", _texts_by_name),
    "notify": ("notify", _channels),
    "evidence": ("evidence", _text),
    "enabled": ("enabled", _flag),
}


def _refuse_doubles(result: RulesFile, lines: Lines, tables: list[Any]) -> None:
    first: dict[str, int | None] = {}
    for index, table in enumerate(tables):
        name = table.get("name") if isinstance(table, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  # of a TOML table
        if not isinstance(name, str):
            continue
        line = lines.of(("rule", index, "name"))
        if name in first:
            result.faults.append(Fault(line, f"the name '{name}' is taken by the rule on line {first[name]}"))
        first.setdefault(name, line)


def _refuse_unknown_channels(result: RulesFile, lines: Lines, tables: list[Any], channels: Collection[str]) -> None:
    """Notes names of channels that do not exist; such a rule stays in force, for the page shows it."""
    for index, table in enumerate(tables):
        rule = next((one for one in result.rules if isinstance(table, dict) and table.get("name") == one.name), None)  # pyright: ignore[reportUnknownMemberType]  # of a TOML array
        for name in rule.notify if rule else ():
            if name not in channels:
                hint = near(name, channels) if channels else "; there are none"
                result.faults.append(
                    Fault(lines.of(("rule", index, "notify")), f"notify: there is no channel '{name}'{hint}")
                )


__all__ = ["CONDITION_KINDS", "RulesFile", "parse_rule", "parse_rules"]
