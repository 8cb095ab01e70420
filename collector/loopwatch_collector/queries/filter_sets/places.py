"""Where a named query's text tells sets of filters apart.

A query that can answer for several sets at once says `{{filter_set}}` wherever it selects or groups by a thing that
belongs to one set, and the parts it reads give each row the sets it passes. Asked for one set of filters, as pages ask,
the places are empty and the statement is as if they were not there.
"""

import re
from functools import cache
from importlib import resources
from typing import Final

_PLACE: Final = re.compile(r"\{\{(filter_set|filter_sets_(of_\w+))\}\}[ ]?")
_MENTION: Final = "{{filter_set}}"


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
    return _PLACE.sub(lambda place: _definition(place[2]) if place[2] else "filter_set, ", text)


@cache
def _definition(name: str) -> str:
    text = (resources.files("loopwatch_collector.queries.filter_sets") / f"{name}.sql").read_text(encoding="utf-8")
    return f"\n{text}"
