"""Conditions to SQL on a row of `runs`: the one compiler to SQL. Names come from the closed table, values are bound."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any, Final

from loopwatch_collector.queries.catalogue import without_comments
from loopwatch_collector.queries.filter.nodes import All, AnyOf, Comparison, Condition, Happened, Not, Phrase, Sequence
from loopwatch_collector.queries.filter.parse import parse
from loopwatch_collector.queries.filter.phrases import Sought, sought

# Where a query on runs takes the condition; such a query binds project, from_ns and to_ns.
FILTER_PLACE: Final = "{{filter}}"
# An event of a sequence as a condition on rows of moments.sql; the name, if one is given, is bound.
_EVENT_NAMES: Final = {
    "called": ("called", "tool"),
    "succeeded": ("success", "tool"),
    "failed": ("error", "tool"),
    "not_found": ("not_found", "tool"),
    "asked": ("asked", "model"),
    "model_failed": ("model_error", "model"),
    "decided": ("decided", "decision"),
    "decided_with": ("decided_with", "tenth"),
    "looped": ("looped", ""),
    "escalated": ("escalated", ""),
}


@dataclass(frozen=True, slots=True)
class Filter:
    """A condition on rows of `runs`, ready to be put into a query that binds project, from_ns and to_ns.

    Attributes:
        sql: an expression that is true for the runs that are meant.
        parameters: the values of its places, beside those three.
        searches_logs: it looks through what came in logs.
    """

    sql: str = "1"
    parameters: Mapping[str, Any] = field(default_factory=dict[str, Any])
    searches_logs: bool = False


def compile_filter(text: str, *, with_logs: bool = True) -> Filter:
    """Compiles a filter.

    Args:
        text: what a person typed; empty for none.
        with_logs: False where there are no events out of logs, and looking through them would be for nothing.

    Raises:
        InvalidFilter: it is not a filter.
    """
    if not text.strip():
        return Filter()
    compiler = _Compiler(with_logs=with_logs)
    sql = compiler.condition(parse(text))
    return Filter(sql, compiler.parameters, compiler.searches_logs)


class _Compiler:
    def __init__(self, *, with_logs: bool) -> None:
        self._with_logs = with_logs
        self.searches_logs = False
        self.parameters: dict[str, Any] = {}

    def condition(self, node: Condition) -> str:
        match node:
            case All(conditions):
                return "(" + " AND ".join(self.condition(each) for each in conditions) + ")"
            case AnyOf(conditions):
                return "(" + " OR ".join(self.condition(each) for each in conditions) + ")"
            case Not(condition):
                # A comparison with a missing cost is NULL, and so would be its negation.
                return f"NOT ifNull({self.condition(condition)}, 0)"
            case Comparison():
                return self._comparison(node)
            case Phrase(text):
                return self._phrase(text)
            case Sequence(events):
                return self._sequence(events)

    def _bind(self, value: Any) -> str:
        name = f"filter_{len(self.parameters)}"
        self.parameters[name] = value
        return name

    def _comparison(self, node: Comparison) -> str:
        negated = node.operator.startswith("!")
        operator = node.operator[1:] if negated else node.operator
        one = self._of_attribute if node.field.type == "attribute" else self._one
        alternatives = [one(node, operator or "=", value) for value in node.values]
        sql = "(" + " OR ".join(alternatives) + ")"
        return f"NOT {sql}" if negated else sql

    def _of_attribute(self, node: Comparison, operator: str, value: str | float) -> str:
        """A run has what any of its spans says; "" is the value of those of which none says anything."""
        name, attribute = self._bind(value), self._bind(node.field.sql)
        is_none = operator == "=" and value == ""
        said = "1" if is_none else self._text("label", operator, name)
        runs = _template("attribute", {"attribute": attribute, "said": said})
        return f"run_id {'NOT ' if is_none else ''}IN ({runs})"

    def _one(self, node: Comparison, operator: str, value: str | float) -> str:
        name = self._bind(value)
        sql = node.field.sql
        if node.field.type == "texts":
            if operator == "=" and value == "":  # as a text that nobody gave is empty
                return f"empty({sql})"
            each = self._text("entry", operator, name)
            return f"arrayExists(entry -> {each}, {sql})"
        if node.field.type == "text":
            return self._text(sql, operator, name)
        clickhouse_type = "Int64" if isinstance(value, int) else "Float64"
        return f"{sql} {operator} {{{name}:{clickhouse_type}}}"

    def _text(self, sql: str, operator: str, name: str) -> str:
        if operator == "~":
            return f"positionCaseInsensitiveUTF8({sql}, {{{name}:String}}) > 0"
        return f"{sql} = {{{name}:String}}"

    def _phrase(self, text: str) -> str:
        looked_for = sought(text)
        places = {"pattern": self._bind(looked_for.pattern), "phrase": self._bind(text)} | {
            "words": " AND ".join(self._has_one(word) for word in looked_for.words) or "1",
            "near": self._near(looked_for),
        }
        contents = _template("matching_contents", {**places, "of": _file("own_days").rstrip()})
        of_logs = self._phrase_of_logs(places) if self._with_logs else ""
        return "run_id IN (" + _template("phrase", {**places, "contents": contents, "of_logs": of_logs}) + ")"

    def _phrase_of_logs(self, places: Mapping[str, str]) -> str:
        self.searches_logs = True
        contents = _template("matching_contents", {**places, "of": _file("traces_of_logs").rstrip()})
        return _template("phrase_of_logs", {**places, "contents_of_logs": contents})

    def _has_one(self, tokens: tuple[str, ...]) -> str:
        return "(" + " OR ".join(f"hasToken(lower(body), {{{self._bind(token)}:String}})" for token in tokens) + ")"

    def _near(self, looked_for: Sought) -> str:
        """Returns what is true of every text that matches and cheaper to ask: matching is the most of a search."""
        if looked_for.middle:
            return f"multiMatchAny(body, {{{self._bind([looked_for.middle])}:Array(String)}})"
        return f"positionCaseInsensitive(body, {{{self._bind(looked_for.rarest)}:String}}) > 0"

    def _sequence(self, events: tuple[Happened, ...]) -> str:
        conditions = ", ".join(self._event(event) for event in events)
        pattern = "".join(f"(?{place})" if place == 1 else f".*(?{place})" for place in range(1, len(events) + 1))
        places = {"moments": _file("moments"), "pattern": pattern, "conditions": conditions}
        return "run_id IN (" + _template("sequence" if len(events) > 1 else "happened", places) + ")"

    def _event(self, happened: Happened) -> str:
        event, _ = _EVENT_NAMES[happened.event.name]
        if happened.name is None:
            return f"event = '{event}'"
        return f"event = '{event}' AND subject = {{{self._bind(happened.name)}:String}}"


def _template(name: str, places: Mapping[str, str]) -> str:
    sql = _file(name)
    for place, value in places.items():
        sql = sql.replace(f"{{{{{place}}}}}", value)
    return sql


@cache
def _file(name: str) -> str:
    folder = resources.files("loopwatch_collector.queries") / "filter"
    return without_comments((folder / f"{name}.sql").read_text(encoding="utf-8"))
