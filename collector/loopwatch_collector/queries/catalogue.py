"""The named queries: each an .sql file whose head says what it answers, what it takes and what it returns.

A head line is `-- key: value`:

- `title`, `description`
- `param: NAME TYPE [= DEFAULT] | DESCRIPTION`, with TYPE UInt32, Float64, String or `Enum(a, b)`
- `column: NAME UNIT | DESCRIPTION`, in the order of the SELECT
- `with: PART, ...`: files under parts/ that the query reads as if they were tables, or calls: those that are a lambda.
  `PART by PARAM` is a folder there, with a file for each value of the parameter that needs its own, and others.sql for
  the rest; without that file the rest does without the part
- `needs: PART`: one of these; while it has no rows, the answer has none, and the statement need not be planned
- `threads: 2`: of a small range, too, it reads so much that two threads answer sooner (see runner.py)

What a query tells apart by a parameter is a statement of its own for each value: see variants.py. A query that says
`{{filter_set}}` can answer for several sets of filters at once: see filter_sets/places.py.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Final

from loopwatch_collector.queries.filter_sets.places import tells_ranges_apart, with_filter_sets, without_filter_sets
from loopwatch_collector.queries.variants import tells_apart, variant

FILTERS: Final = ("environment", "agent", "version", "model", "customer")
UNITS: Final = frozenset({"runs", "calls", "tokens", "usd", "ns", "ratio", "time", "text", "count", "bytes"})
_HEAD_LINE: Final = re.compile(r"-- (title|description|param|column|with|needs|threads): (.*)")
_PARAM: Final = re.compile(r"(\w+) (Enum\(([^)]*)\)|\w+)(?: = (\S*))? \| (.+)")
_LAMBDA: Final = re.compile(r"(--.*\n)*\([\w, ]+\) ->")
_COLUMN: Final = re.compile(r"(\w+) (\w+) \| (.+)")
_BY: Final = " by "
_WORD: Final = re.compile(r"\w+")
_COMMENT_LINE: Final = re.compile(r"^[ \t]*--.*\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter of a query, beside the range and the filters all of them take.

    Attributes:
        name: as in the URL and the SQL.
        type: its ClickHouse type.
        default: used when the caller gives none; None makes it required.
        values: what it may be, where the choice is closed.
        description: for the reader.
    """

    name: str
    type: str
    default: str | None
    values: tuple[str, ...]
    description: str


@dataclass(frozen=True, slots=True)
class QueryColumn:
    """A column of a query's answer: its name, its unit (one of UNITS) and what it says."""

    name: str
    unit: str
    description: str


@dataclass(slots=True)
class NamedQuery:
    """One question the store answers.

    Attributes:
        name: the file's name; how it is asked for.
        title: what a chart of it is called.
        description: what exactly it counts.
        params: beside range and filters.
        columns: in the order of the rows' values.
        sql: the statement, parts included, to be bounded by the runner; for the default of what tells variants apart.
        needed_sql: a statement that has a row where the answer may have any; "" for most queries.
        threads: how many of the engine's answer soonest about a small range.
        told_apart_by: the parameter whose value chooses among several statements; "" for most queries.
        variants: the statement by that value.
        text_for_filter_sets: the statement that answers for several sets of filters at once; "" for most queries.
        variants_for_filter_sets: that statement by the same value.
        tells_ranges_apart: in that statement each set may have a range of its own.
    """

    name: str
    title: str = ""
    description: str = ""
    params: list[Param] = field(default_factory=list[Param])
    columns: list[QueryColumn] = field(default_factory=list[QueryColumn])
    sql: str = ""
    needed_sql: str = ""
    threads: int = 1
    told_apart_by: str = ""
    variants: dict[str, str] = field(default_factory=dict[str, str])
    text_for_filter_sets: str = ""
    variants_for_filter_sets: dict[str, str] = field(default_factory=dict[str, str])
    tells_ranges_apart: bool = False

    def sql_for(self, params: Mapping[str, str]) -> str:
        """The statement for these values of the query's own parameters; a value that is no choice is as none."""
        return self.variants.get(params.get(self.told_apart_by, ""), self.sql)

    def sql_for_filter_sets(self, params: Mapping[str, str]) -> str:
        """The statement that answers for several sets of filters at once, for these values."""
        return self.variants_for_filter_sets.get(params.get(self.told_apart_by, ""), self.text_for_filter_sets)


@cache
def catalogue() -> Mapping[str, NamedQuery]:
    """Returns every named query by name."""
    files = sorted((resources.files("loopwatch_collector.queries") / "sql").iterdir(), key=lambda file: file.name)
    queries = [parse(file.name.removesuffix(".sql"), file.read_text(encoding="utf-8")) for file in files]
    return {query.name: query for query in queries}


def parse(name: str, text: str) -> NamedQuery:
    """Reads a query from the text of its file.

    Args:
        name: the file's name without its ending.
        text: head and statement.

    Raises:
        ValueError: a head line is not of its form, or names a unit that does not exist.
    """
    query = NamedQuery(name)
    lines = text.splitlines()
    parts: list[str] = []
    needed: list[str] = []  # none or one
    while lines and (match := _HEAD_LINE.fullmatch(lines[0])):
        _read_head_line(query, parts, needed, match[1], match[2])
        lines.pop(0)
    statement = "\n".join(lines)
    choosing = next((param for param in query.params if _is_told_apart(param, parts, statement)), None)
    query.told_apart_by = choosing.name if choosing else ""
    for value in choosing.values if choosing else ("",):
        text = _with_parts(parts, statement, query.told_apart_by, value)
        query.variants[value] = without_comments(without_filter_sets(text))
        query.variants_for_filter_sets[value] = without_comments(with_filter_sets(text, statement))
    usual = (choosing.default or choosing.values[0]) if choosing else ""
    query.sql, query.text_for_filter_sets = query.variants[usual], query.variants_for_filter_sets[usual]
    if needed:
        text = _with_parts(parts, f"SELECT 1 FROM {needed[0]} LIMIT 1\n", query.told_apart_by, usual)  # noqa: S608 - a part's name
        query.needed_sql = without_comments(without_filter_sets(text))
    texts = [_part(part, value) for part in parts for value in query.variants]
    query.tells_ranges_apart = tells_ranges_apart(statement, texts)
    return query


def _is_told_apart(param: Param, parts: list[str], statement: str) -> bool:
    texts = [statement, *(_part(part, "") for part in parts)]
    is_by = any(part.partition(_BY)[2] == param.name for part in parts)
    return bool(param.values) and (is_by or any(tells_apart(text, param.name) for text in texts))


def without_comments(sql: str) -> str:
    """Returns a statement of ours without the lines that are comments.

    The driver reads every statement token by token in Python, twice when there is a semicolon anywhere in it: comments
    made a tenth of what a long question took.
    """
    return _COMMENT_LINE.sub("", sql)


def _read_head_line(query: NamedQuery, parts: list[str], needed: list[str], key: str, value: str) -> None:
    if key == "title":
        query.title = value
    elif key == "description":
        query.description = value
    elif key == "param":
        query.params.append(_param(query.name, value))
    elif key == "column":
        query.columns.append(_column(query.name, value))
    elif key == "needs":
        needed.append(value)
    elif key == "threads":
        query.threads = int(value)
    else:
        parts.extend(part.strip() for part in value.split(","))


def _param(query_name: str, text: str) -> Param:
    match = _PARAM.fullmatch(text)
    if match is None:
        raise ValueError(
            f"query {query_name}: a param line must be 'NAME TYPE [= DEFAULT] | DESCRIPTION', not {text!r}"
        )
    name, type_name, choices, default, description = match.groups()
    values = tuple(choice.strip() for choice in choices.split(",")) if choices else ()
    return Param(name, "String" if values else type_name, default, values, description)


def _column(query_name: str, text: str) -> QueryColumn:
    match = _COLUMN.fullmatch(text)
    if match is None or match[2] not in UNITS:
        raise ValueError(f"query {query_name}: a column line must be 'NAME UNIT | DESCRIPTION', not {text!r}")
    return QueryColumn(match[1], match[2], match[3])


def _with_parts(parts: list[str], statement: str, told_apart_by: str, value: str) -> str:
    """The statement with those of its parts that it needs, for a value of what it tells apart."""
    statement = variant(statement, told_apart_by, value)
    texts = {part.partition(_BY)[0]: variant(_part(part, value), told_apart_by, value) for part in parts}
    needed: set[str] = set()
    waiting = [statement]
    while waiting:
        words = set(_WORD.findall(waiting.pop()))
        found = [name for name in texts if name in words and name not in needed and texts[name]]
        needed.update(found)
        waiting.extend(texts[name] for name in found)
    named = ",\n".join(text for name, text in texts.items() if name in needed)
    if not named:
        return statement
    own = re.match(r"\s*WITH\s", statement)
    return f"WITH {named}{',' if own else ''}\n{statement[own.end() :] if own else statement}"


@cache
def _part(part: str, value: str) -> str:
    folder = resources.files("loopwatch_collector.queries") / "parts"
    name, by, _ = part.partition(_BY)
    file = folder / f"{name}.sql"
    if by:
        file = next(
            (one for one in (folder / name / f"{value}.sql", folder / name / "others.sql") if one.is_file()), None
        )
    if file is None:
        return ""
    text = file.read_text(encoding="utf-8")
    return f"(\n{text}) AS {name}" if _LAMBDA.match(text) else f"{name} AS (\n{text})"
