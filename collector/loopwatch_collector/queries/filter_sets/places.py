"""Where a named query's text tells sets of filters apart.

A query that can answer for several sets at once says `{{filter_set}}` wherever it selects or groups by a thing that
belongs to one set, and the parts it reads give each row the sets it passes. Asked for one set of filters, as pages ask,
the places are empty and the statement is as if they were not there.

A set may also have a range of its own within the question's: the parts give a row to the sets in whose range its start
time lies. That is right as long as the question's range does nothing but select rows by their start time where they are
given to sets; a query that cuts the range into buckets, or divides by its length, would do so with the whole range.
A part that says `{{any_range}}` is looked into by identity, and says of a run or a call the same whatever the range.
"""

import re
from collections.abc import Iterable
from functools import cache
from importlib import resources
from typing import Final

_PLACE: Final = re.compile(r"\{\{(any_range|filter_set|filter_sets_(of_\w+))\}\}[ ]?")
_ANY_RANGE: Final = "{{any_range}}"
_MENTION: Final = "{{filter_set}}"
_GIVING: Final = ("{{filter_sets_of_run}}", "{{filter_sets_of_span}}")
# such as AND toStartOfMinute(start_time) >= toStartOfMinute(fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC'))
_SELECTING: Final = {
    "{from_ns:": re.compile(r"\s*AND (toStartOfMinute\()?start_time\)? >= [^<>]*"),
    "{to_ns:": re.compile(r"\s*AND (toStartOfMinute\()?start_time\)? <=? [^<>]*"),
}


def without_filter_sets(text: str) -> str:
    """Returns a query's text for one set of filters."""
    return _PLACE.sub("", text)


def with_filter_sets(text: str, statement: str) -> str:
    """Returns a query's text for several sets of filters; the first column says of which set a row is.

    Args:
        text: the query's, parts included.
        statement: the query's own, without the parts it reads.

    Returns:
        "" when the query does not tell sets apart.
    """
    if _MENTION not in statement:
        return ""
    return _PLACE.sub(_in_place, text)


def _in_place(place: re.Match[str]) -> str:
    if place[0].startswith(_ANY_RANGE):
        return ""
    return _definition(place[2]) if place[2] else "filter_set, "


def tells_ranges_apart(statement: str, parts: Iterable[str]) -> bool:
    """Whether each of several sets of filters can have a range of its own.

    Args:
        statement: the query's own.
        parts: the texts of the parts it reads.
    """
    return _MENTION in statement and all(_selects_by_range(text) for text in (statement, *parts))


def _selects_by_range(text: str) -> bool:
    """Whether a text does nothing with the question's range, or nothing but select what it gives to sets."""
    selections = [
        selecting.fullmatch(line) is not None
        for line in text.splitlines()
        for end, selecting in _SELECTING.items()
        if end in line
    ]
    gives = any(place in text for place in _GIVING)
    return not selections or _ANY_RANGE in text or (gives and all(selections))


@cache
def _definition(name: str) -> str:
    text = (resources.files("loopwatch_collector.queries.filter_sets") / f"{name}.sql").read_text(encoding="utf-8")
    return f"\n{text}"
