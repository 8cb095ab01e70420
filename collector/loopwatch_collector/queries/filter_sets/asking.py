"""Asks a named query for several sets of filters in one statement, each answered as if it had been asked alone."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

from loopwatch_collector.queries.catalogue import FILTERS
from loopwatch_collector.queries.choices import without_other_choices
from loopwatch_collector.queries.filter.compile import FILTER_PLACE
from loopwatch_collector.queries.filter_lines import without_unused_filters
from loopwatch_collector.queries.runner import READ_SETTINGS, Question, bind, named, plain
from loopwatch_collector.store.client import Connection
from loopwatch_collector.store.errors import QueryTooLarge

MAX_FILTER_SETS: Final = 64
"""A set is a bit of a number of the engine."""

# A row of several sets stands for as many; sorting such rows while they are one is four times dearer than as many rows.
_SETTINGS: Final = {"enable_lazy_columns_replication": 0}


class FilterSet(NamedTuple):
    """What one asker wants to know about.

    Attributes:
        filters: values by dimension (FILTERS); any of them matches, and a dimension that is not there lets everything
            pass.
        from_ns: where its range begins, ns since the epoch, included.
        to_ns: where its range ends, excluded; None for the question's end.
    """

    filters: Mapping[str, Sequence[str]]
    from_ns: int
    to_ns: int | None = None


def can_answer_each(name: str) -> bool:
    """Whether a query can be asked for several sets of filters at once."""
    return bool(named(name).text_for_filter_sets)


def tells_ranges_apart(name: str) -> bool:
    """Whether these sets may have ranges of their own."""
    return named(name).tells_ranges_apart


def ask_each(
    connection: Connection,
    question: Question,
    filter_sets: Sequence[FilterSet],
    settings: Mapping[str, Any] = READ_SETTINGS,
) -> list[list[list[Any]]]:
    """Answers a question for each set of filters.

    Args:
        connection: this thread's.
        question: what is asked; its own filters and beginning are not looked at, nor is its end where each set has its
            own, and its limit is one of all rows together.
        filter_sets: 1 to MAX_FILTER_SETS; of one range, unless the query `tells_ranges_apart`.
        settings: the engine's, its limits among them.

    Returns:
        For each set the rows in the order of the query's columns, none left out.

    Raises:
        UnknownQuery: there is no query of that name.
        InvalidParameter: a parameter is missing, unknown or not of its type.
        QueryTooLarge: the question hit its limit of time, memory or rows.
        ValueError: the sets have different ranges, and the query can't tell them apart.
    """
    query = named(question.name)
    ranges = [(one.from_ns, question.to_ns if one.to_ns is None else one.to_ns) for one in filter_sets]
    if len(set(ranges)) > 1 and not query.tells_ranges_apart:
        raise ValueError(f"query {query.name} answers for one range at a time")
    sets_by_moment = _sets_by_moment(ranges)
    whole = replace(question, from_ns=min(sets_by_moment), to_ns=max(to_ns for _, to_ns in ranges))
    parameters = {
        **bind(query, whole),
        **{name: _wanted_by_all(name, filter_sets) for name in FILTERS},
        **{key: value for name in FILTERS for key, value in _sets_by_value(name, filter_sets).items()},
        "window_from_ns": list(sets_by_moment),
        "window_sets": list(sets_by_moment.values()),
        "page_limit": question.limit + 1,
    }
    sql = without_other_choices(
        without_unused_filters(query.text_for_filter_sets.replace(FILTER_PLACE, "1"), parameters), parameters
    )
    found = connection.rows(f"{sql}\nLIMIT {{page_limit:UInt64}}", parameters, {**settings, **_SETTINGS})
    if len(found) > question.limit:
        raise QueryTooLarge(f"query {query.name} has more than {question.limit} rows for {len(filter_sets)} askers")
    rows: list[list[list[Any]]] = [[] for _ in filter_sets]
    for filter_set, *values in found:
        rows[filter_set].append([plain(value) for value in values])
    return rows


def _sets_by_moment(ranges: Sequence[tuple[int, int]]) -> dict[int, int]:
    """For each moment at which a range begins or ends, the earliest first, the sets whose range it lies in, as bits."""
    last_ns = max(to_ns for _, to_ns in ranges)
    return {
        at: sum(1 << number for number, (from_ns, to_ns) in enumerate(ranges) if from_ns <= at < to_ns)
        for at in sorted({from_ns for from_ns, _ in ranges} | {to_ns for _, to_ns in ranges if to_ns < last_ns})
    }


def _wanted_by_all(name: str, filter_sets: Sequence[FilterSet]) -> list[str]:
    """The values of a dimension that may be read; none where a set lets everything pass."""
    wanted = [one.filters.get(name, ()) for one in filter_sets]
    return sorted({value for values in wanted for value in values}) if all(wanted) else []


def _sets_by_value(name: str, filter_sets: Sequence[FilterSet]) -> dict[str, Any]:
    """For each value of a dimension, and for all others, the sets that let it pass, as bits."""
    others, by_value = 0, dict[str, int]()
    for number, one in enumerate(filter_sets):
        values = one.filters.get(name, ())
        others |= 0 if values else 1 << number
        for value in values:
            by_value[value] = by_value.get(value, 0) | 1 << number
    by_value = by_value or {"": 0}  # the engine knows no look-up in nothing
    return {
        f"{name}_values": list(by_value),
        f"{name}_sets": [sets | others for sets in by_value.values()],
        f"{name}_other_sets": others,
    }
