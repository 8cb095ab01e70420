"""Leaves out of a statement what its parameters rule out of a choice.

A choice stands in lines of its own, one for each value and a last one for all others:

    multiIf(
        {dimension:String} = 'model', toString(model),
        {dimension:String} = 'customer', customer_id,
        ''
    )

The engine reads the columns of all branches, also of those that a parameter rules out: most of what `spend_by` took
over a long range.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

_CHOICE: Final = re.compile(r"multiIf\(\n((?:.*,\n)+)(.*[^,\n])\n[ \t]*\)")
_LINE: Final = re.compile(r"[ \t]*\{(\w+):String\} = '(\w+)', (.*),")


def without_other_choices(sql: str, parameters: Mapping[str, Any]) -> str:
    """Returns a statement of ours without the lines of choices that are for other values than the parameters'.

    Args:
        sql: with a line for each value.
        parameters: the values that will be bound.
    """
    return _chosen(sql, tuple((name, parameters[name]) for name in _choosing(sql) if name in parameters))


@lru_cache(maxsize=512)
def _choosing(sql: str) -> tuple[str, ...]:
    """The parameters that choices of a statement go by."""
    lines = [line for choice in _CHOICE.finditer(sql) for line in choice[1].splitlines()]
    return tuple(sorted({match[1] for match in map(_LINE.fullmatch, lines) if match}))


@lru_cache(maxsize=512)
def _chosen(sql: str, values: tuple[tuple[str, str], ...]) -> str:
    return _CHOICE.sub(lambda choice: _without_others(choice, dict(values)), sql)


def _without_others(choice: re.Match[str], values: Mapping[str, str]) -> str:
    """One choice, or what is left where the values decide it: the branch that is for them, or the last line."""
    lines = choice[1].splitlines(keepends=True)
    kept = [line for line in lines if not _is_ruled_out(line.rstrip("\n"), values)]
    if not kept:
        return choice[2].strip()
    first = _LINE.fullmatch(kept[0].rstrip("\n"))
    if first is not None and values.get(first[1]) == first[2]:
        return first[3]
    return choice[0] if len(kept) == len(lines) else f"multiIf(\n{''.join(kept)}{choice[2]}\n)"


def _is_ruled_out(line: str, values: Mapping[str, str]) -> bool:
    match = _LINE.fullmatch(line)
    return match is not None and match[1] in values and values[match[1]] != match[2]
