"""A statement for each value of the parameter that says what a query tells apart.

The engine plans every branch that a statement has, also those that a parameter rules out: ten dimensions side by side
took 4 ms of every question, and a join or a list that only one of them needs would be read for all. So a statement is
made for each value, of the places that name the parameter:

- lines `{dimension:String} = 'agent', EXPRESSION,` alone in a `multiIf(...)`: the whole becomes the value's expression,
  or the last one where no line is the value's
- a line that begins with `{{when dimension = tag, attribute}}` stays for these values only
"""

import re
from typing import Final

_BRANCHES: Final = re.compile(r"multiIf\(\n((?:[ \t]*\{\w+:String\} = '\w+', .*,\n)+)[ \t]*(.*)\n[ \t]*\)")
_BRANCH: Final = re.compile(r"[ \t]*\{(\w+):String\} = '(\w+)', (.*),\n")
_WHEN: Final = re.compile(r"^([ \t]*)\{\{when (\w+) = ([\w, ]+)\}\} (.*\n)", re.MULTILINE)


def tells_apart(text: str, param: str) -> bool:
    """Whether a text has places for single values of a parameter.

    Args:
        text: of a query, parts included.
        param: the parameter's name.
    """
    branches = [branch[1] for found in _BRANCHES.finditer(text) for branch in _BRANCH.finditer(found[1])]
    return param in branches or any(line[2] == param for line in _WHEN.finditer(text))


def variant(text: str, param: str, value: str) -> str:
    """Returns a text as it is for one value of a parameter.

    Args:
        text: of a query, parts included.
        param: the parameter's name; "" for a query without one, which tells nothing apart.
        value: the value.
    """
    chosen = _BRANCHES.sub(lambda found: _expression(found[1], found[2], param, value), text)
    return _WHEN.sub(lambda line: line[1] + line[4] if _is_meant(line[2], line[3], param, value) else "", chosen)


def _expression(branches: str, otherwise: str, param: str, value: str) -> str:
    return next((one[3] for one in _BRANCH.finditer(branches) if (one[1], one[2]) == (param, value)), otherwise)


def _is_meant(named: str, values: str, param: str, value: str) -> bool:
    return named == param and value in [one.strip() for one in values.split(",")]
