"""Asks named queries: binds, bounds and pages them, and turns the engine's values into plain ones."""

import base64
import binascii
import math
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from difflib import get_close_matches
from typing import Any, Final, NamedTuple

from loopwatch_collector.queries.catalogue import FILTERS, NamedQuery, Param, catalogue
from loopwatch_collector.queries.conditions import condition_of
from loopwatch_collector.queries.errors import InvalidParameter, UnknownQuery
from loopwatch_collector.queries.filter.compile import FILTER_PLACE, Filter
from loopwatch_collector.queries.filter_lines import without_unused_filters
from loopwatch_collector.store.client import Connection

DEFAULT_LIMIT: Final = 10_000
MAX_LIMIT: Final = 100_000
_MAX_OFFSET: Final = 10**12
_PLAIN: Final = frozenset({str, int, bool, type(None)})  # most values of most rows, so looked at first
_NO_FILTERS: Final[Mapping[str, Sequence[str]]] = {}

# Nobody's question may starve the others, or the writer beside them.
READ_SETTINGS: Final[Mapping[str, Any]] = {
    "max_execution_time": 30,
    "max_memory_usage": 2 << 30,
    "max_bytes_before_external_group_by": 1 << 30,
    "max_bytes_before_external_sort": 1 << 30,
    # A span's or run's identity lies in one partition: nothing is to be merged across them.
    "do_not_merge_across_partitions_select_final": 1,
    # Merging the expressions of a long chain of sub-queries into one was a quarter of what planning it took, and made
    # no answer faster.
    "query_plan_merge_expressions": 0,
    # Whether a block of spans holds one of a few runs, its bloom filter tells; of thousands, some are in every block.
    "use_index_for_in_with_subqueries_max_values": 1_000,
}
# Of a small question most is planning: see store/day_rows.py.
ONE_THREAD: Final[Mapping[str, Any]] = {**READ_SETTINGS, "max_threads": 1}
# Some read so much of a day that two threads answer a fifth to a quarter sooner, for up to a tenth more CPU. By itself
# the engine does not part so few rows.
TWO_THREADS: Final[Mapping[str, Any]] = {
    **READ_SETTINGS,
    "max_threads": 2,
    "merge_tree_min_rows_for_concurrent_read": 32_768,
    "merge_tree_min_bytes_for_concurrent_read": 1 << 20,
}
# A search reads a day's texts: few rows, many bytes. The engine goes by rows, and left all of them to one thread.
SEARCHING: Final[Mapping[str, Any]] = {**READ_SETTINGS, "merge_tree_min_rows_for_concurrent_read": 8_192}


@dataclass(frozen=True, slots=True)
class Question:
    """A named query with everything it needs.

    Attributes:
        name: of the query.
        project: whose data is asked about.
        from_ns: start of the range, ns since the epoch, included.
        to_ns: end of the range, ns since the epoch, excluded.
        params: the query's own parameters, as text.
        filters: values by dimension (FILTERS); any of them matches.
        filter_text: a line of the filter language; empty for none.
        limit: rows of one page.
        cursor: where the page starts: `next_cursor` of the page before.
    """

    name: str
    project: str
    from_ns: int
    to_ns: int
    params: Mapping[str, str] = field(default_factory=dict[str, str])
    filters: Mapping[str, Sequence[str]] = field(default_factory=lambda: _NO_FILTERS)
    filter_text: str = ""
    limit: int = DEFAULT_LIMIT
    cursor: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """Rows of a query, in the order of its columns, and where the next page starts (None: this was the last)."""

    query: NamedQuery
    rows: list[list[Any]]
    next_cursor: str | None
    elapsed_ms: float


class RawAnswer(NamedTuple):
    """A page as the engine wrote it, and where the next one starts (None: this was the last)."""

    body: bytes
    next_cursor: str | None


def settings_for(
    connection: Connection, from_ns: int, to_ns: int, filter_text: str, threads: int = 1
) -> Mapping[str, Any]:
    """Returns the engine's settings for what is asked about a range.

    Args:
        connection: this thread's.
        from_ns: start of the range, ns since the epoch.
        to_ns: end of the range, ns since the epoch.
        filter_text: a line of the filter language, which may have texts searched through: that is never small.
        threads: how many answer soonest about a small range, 1 or 2.
    """
    if filter_text:
        return SEARCHING
    if not connection.is_small(from_ns, to_ns):
        return READ_SETTINGS
    return ONE_THREAD if threads == 1 else TWO_THREADS


def ask(connection: Connection, question: Question, settings: Mapping[str, Any] | None = None) -> Answer:
    """Answers one page of a question.

    Args:
        connection: this thread's.
        question: what is asked.
        settings: the engine's, its limits among them; None: those for a range of that size.

    Raises:
        UnknownQuery: there is no query of that name.
        InvalidParameter: a parameter is missing, unknown or not of its type.
        QueryTooLarge: the question hit its limit of time or memory.
    """
    started = time.perf_counter()
    query = named(question.name)
    offset = _offset(question.cursor)
    sql, parameters = _bounded(connection, query, question)
    if settings is None:
        settings = settings_for(connection, question.from_ns, question.to_ns, question.filter_text, query.threads)
    page = {"page_limit": question.limit + 1, "page_offset": offset}
    may_have_rows = _may_have_rows(connection, query, question, parameters, settings)
    found = connection.rows(sql, {**parameters, **page}, settings) if may_have_rows else []
    rows = [[plain(value) for value in row] for row in found[: question.limit]]
    next_cursor = _cursor(offset + question.limit) if len(found) > question.limit else None
    return Answer(query, rows, next_cursor, (time.perf_counter() - started) * 1000)


def ask_raw(connection: Connection, question: Question, format_name: str) -> RawAnswer:
    """Answers one page of a question in a format of the engine's own, such as CSVWithNames or ArrowStream.

    Whether there are more rows is not seen in such a page: the engine is asked for the first beyond it.
    """
    offset = _offset(question.cursor)
    sql, parameters = _bounded(connection, named(question.name), question)
    page = {"page_limit": question.limit, "page_offset": offset}
    body = connection.raw(sql, {**parameters, **page}, READ_SETTINGS, format_name)
    beyond = offset + question.limit
    # Fewer line breaks than rows: the page is not full.
    is_full = format_name != "CSVWithNames" or body.count(b"\n") > question.limit
    has_more = is_full and connection.rows(sql, {**parameters, "page_limit": 1, "page_offset": beyond}, READ_SETTINGS)
    return RawAnswer(body, _cursor(beyond) if has_more else None)


def named(name: str) -> NamedQuery:
    """Returns a query by name.

    Raises:
        UnknownQuery: there is none; the message suggests the nearest.
    """
    query = catalogue().get(name)
    if query is None:
        near = get_close_matches(name, catalogue(), n=1)
        hint = f"did you mean '{near[0]}'?" if near else "GET /api/v1/queries lists them"
        raise UnknownQuery(f"there is no query '{name}': {hint}")
    return query


def bind(query: NamedQuery, question: Question) -> dict[str, Any]:
    """Returns the values of every place in the query's SQL.

    Raises:
        InvalidParameter: a parameter is missing, unknown or not of its type.
    """
    known = {param.name for param in query.params}
    for name in question.params:
        if name not in known:
            wanted = ", ".join(sorted(known)) or "none beside range and filters"
            raise InvalidParameter(f"query {query.name} has no parameter '{name}'; it takes: {wanted}")
    return {
        "project": question.project,
        "from_ns": question.from_ns,
        "to_ns": question.to_ns,
        "now_ns": time.time_ns(),
        **{name: list(question.filters.get(name, ())) for name in FILTERS},
        **{param.name: _value(param, question.params.get(param.name, param.default)) for param in query.params},
    }


def plain(value: Any) -> Any:
    """Turns a value of the engine into one of JSON: money to a number, times to ISO 8601 in UTC, bytes to hex."""
    if type(value) in _PLAIN:
        return value
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, float) and value != value:
        return None
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]  # pyright: ignore[reportUnknownVariableType]  # any row's values
    return value


def _value(param: Param, text: str | None) -> Any:
    if text is None:
        raise InvalidParameter(f"the parameter '{param.name}' is missing: {param.description}")
    if param.values and text not in param.values:
        raise InvalidParameter(f"{param.name} must be one of {', '.join(param.values)}, not '{text}'")
    if param.type == "String":
        return text
    try:
        number = float(text) if param.type.startswith("Float") else int(text)
    except ValueError:
        raise InvalidParameter(f"{param.name} must be a number, not '{text}'") from None
    if param.type.startswith("Float") and not (math.isfinite(number) and number >= 0):
        raise InvalidParameter(f"{param.name} must be a number from 0 on, not '{text}'")
    if not param.type.startswith("Float") and not 0 < number < 2**31:
        raise InvalidParameter(f"{param.name} must be a whole number from 1 on, not '{text}'")
    return number


def _bounded(connection: Connection, query: NamedQuery, question: Question) -> tuple[str, dict[str, Any]]:
    condition = condition_of(connection, question.project, question.filter_text)
    parameters = {**bind(query, question), **condition.parameters}
    page = "LIMIT {page_limit:UInt64} OFFSET {page_offset:UInt64}"
    return f"{_filtered(query.sql_for(question.params), condition, parameters)}\n{page}", parameters


def _may_have_rows(
    connection: Connection,
    query: NamedQuery,
    question: Question,
    parameters: Mapping[str, Any],
    settings: Mapping[str, Any],
) -> bool:
    """Whether there is anything to answer about, as far as that is told sooner than the answer."""
    if not query.needed_sql or question.filter_text:  # a filter may search through texts: not twice
        return True
    return bool(connection.rows(_filtered(query.needed_sql, Filter(), parameters), parameters, settings))


def _filtered(sql: str, condition: Filter, parameters: Mapping[str, Any]) -> str:
    return without_unused_filters(sql.replace(FILTER_PLACE, condition.sql), parameters)


def _cursor(offset: int) -> str:
    return base64.urlsafe_b64encode(str(offset).encode()).decode().rstrip("=")


def _offset(cursor: str) -> int:
    if not cursor:
        return 0
    with suppress(binascii.Error, ValueError):
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
        if text.isdecimal() and 0 < int(text) <= _MAX_OFFSET:
            return int(text)
    raise InvalidParameter(f"the cursor '{cursor[:40]}' is not one we gave: pass next_cursor unchanged")
