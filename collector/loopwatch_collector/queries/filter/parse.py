"""A filter's tokens to conditions, by recursive descent.

filter     = alternative { "or" alternative }
alternative = condition { ["and"] condition }
condition  = "not" condition | "(" filter ")" | comparison | sequence | TEXT
comparison = FIELD OPERATOR value | FIELD "in" "(" value { "," value } ")"
sequence   = event { "then" event }
event      = NAME "(" [ value ] ")"
"""

from collections.abc import Collection
from difflib import get_close_matches
from typing import Final

from loopwatch_collector.queries.errors import InvalidParameter
from loopwatch_collector.queries.filter.errors import InvalidFilter
from loopwatch_collector.queries.filter.fields import EVENTS, FIELDS, Field, field_named
from loopwatch_collector.queries.filter.nodes import All, AnyOf, Comparison, Condition, Happened, Not, Phrase, Sequence
from loopwatch_collector.queries.filter.tokens import Token, tokens
from loopwatch_collector.queries.times import parse_time

_MAX_DEPTH: Final = 40
_MAX_CONDITIONS: Final = 60
_MAX_VALUES: Final = 200
_MAX_EVENTS: Final = 8
_MAX_NUMBER: Final = 1e18
_DURATIONS_NS: Final = {
    "ns": 1,
    "us": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
    "d": 86400 * 10**9,
}
_WANTED: Final = {
    "number": "a number such as 12 or 5k",
    "duration": "a duration such as 500ms, 90s or 5m",
    "money": "an amount such as 0.25",
    "time": "a time such as 2026-11-21T14:00",
}
_MULTIPLES: Final = {"k": 10**3, "M": 10**6, "G": 10**9}


def parse(text: str) -> Condition:
    """Reads a filter.

    Args:
        text: what a person typed, not empty.

    Raises:
        InvalidFilter: it is not a filter; says where, and what may have been meant.
    """
    return _Parser(tokens(text)).filter()


class _Parser:
    def __init__(self, pieces: list[Token]) -> None:
        self._pieces = pieces
        self._place = 0
        self._depth = 0
        self._conditions = 0

    def filter(self) -> Condition:
        condition = self._alternatives()
        if self._next.kind != "end":
            raise InvalidFilter(f"'{self._next.value}' is not expected here", self._next.position)
        return condition

    @property
    def _next(self) -> Token:
        return self._pieces[self._place]

    def _take(self) -> Token:
        token = self._next
        self._place += token.kind != "end"
        return token

    def _expect(self, value: str) -> None:
        token = self._take()
        if token.kind != "punctuation" or token.value != value:
            raise InvalidFilter(f"'{value}' is missing", token.position)

    def _alternatives(self) -> Condition:
        alternatives = [self._conjunction()]
        while self._next.is_word("or"):
            self._take()
            alternatives.append(self._conjunction())
        return alternatives[0] if len(alternatives) == 1 else AnyOf(tuple(alternatives))

    def _conjunction(self) -> Condition:
        conditions = [self._condition()]
        while self._next.kind != "end" and not self._next.is_word("or") and self._next.value != ")":
            if self._next.is_word("and"):
                self._take()
            conditions.append(self._condition())
        return conditions[0] if len(conditions) == 1 else All(tuple(conditions))

    def _condition(self) -> Condition:
        self._depth += 1
        self._conditions += 1
        if self._depth > _MAX_DEPTH or self._conditions > _MAX_CONDITIONS:
            raise InvalidFilter("this filter is too long or too deep", self._next.position)
        condition = self._one_condition()
        self._depth -= 1
        return condition

    def _one_condition(self) -> Condition:
        token = self._take()
        if token.is_word("not"):
            return Not(self._condition())
        if token.kind == "punctuation" and token.value == "(":
            inner = self._alternatives()
            self._expect(")")
            return inner
        if token.kind == "text":
            return _phrase(token)
        if token.kind != "word":
            wanted = "a filter ends too early" if token.kind == "end" else f"'{token.value}' is not expected here"
            raise InvalidFilter(f"{wanted}: a field, an event or a text in quotation marks is wanted", token.position)
        if self._next.kind == "punctuation" and self._next.value == "(":
            return self._sequence(token)
        return self._comparison(token)

    def _comparison(self, name: Token) -> Comparison:
        field, operator = field_named(name.value), self._take()
        if field is None:
            near = _near(name.value, [*FIELDS, *EVENTS])
            raise InvalidFilter(f"there is no field '{name.value}'", name.position, near)
        if operator.is_word("in"):
            return Comparison(field, "=", self._values(field))
        if operator.kind != "operator" or operator.value not in field.operators:
            wanted = ", ".join((*field.operators, "in"))
            raise InvalidFilter(f"after {field.name} one of {wanted} is wanted", operator.position)
        is_part = operator.value.endswith("~")
        return Comparison(field, operator.value, (_value(field, self._take(), is_part=is_part),))

    def _values(self, field: Field) -> tuple[str | int | float, ...]:
        self._expect("(")
        values = [_value(field, self._take())]
        while self._next.value == "," and self._next.kind == "punctuation":
            self._take()
            values.append(_value(field, self._take()))
        if len(values) > _MAX_VALUES:
            raise InvalidFilter(f"at most {_MAX_VALUES} values", self._next.position)
        self._expect(")")
        return tuple(values)

    def _sequence(self, name: Token) -> Sequence:
        events = [self._happened(name)]
        while self._next.is_word("then"):
            self._take()
            events.append(self._happened(self._take()))
        if len(events) > _MAX_EVENTS:
            raise InvalidFilter(f"a sequence has at most {_MAX_EVENTS} events", name.position)
        return Sequence(tuple(events))

    def _happened(self, name: Token) -> Happened:
        event = EVENTS.get(name.value) if name.kind == "word" else None
        if event is None:
            raise InvalidFilter(f"there is no event '{name.value}'", name.position, _near(name.value, EVENTS))
        self._expect("(")
        of: str | None = None
        if self._next.kind in {"word", "text"}:
            token = self._take()
            if not event.of:
                raise InvalidFilter(f"{event.name}() takes nothing in its parentheses", token.position)
            of = token.value
        self._expect(")")
        return Happened(event, of)


def _phrase(token: Token) -> Phrase:
    if not any(character.isalnum() for character in token.value):
        raise InvalidFilter("a text to search for needs a letter or a digit", token.position)
    return Phrase(token.value)


def _value(field: Field, token: Token, *, is_part: bool = False) -> str | int | float:
    if token.kind not in {"word", "text"}:
        raise InvalidFilter(f"a value for {field.name} is missing", token.position)
    if field.values and not is_part and token.value not in field.values:
        known = ", ".join(field.values)
        fault = f"{field.name} is one of {known}, not '{token.value}'"
        raise InvalidFilter(fault, token.position, _near(token.value, field.values))
    if field.is_text:
        return token.value
    try:
        return _NUMBERS[field.type](token.value)
    except (ValueError, KeyError, OverflowError, InvalidParameter):
        raise InvalidFilter(f"{field.name} wants {_WANTED[field.type]}, not '{token.value}'", token.position) from None


def _number(text: str) -> float:
    factor = _MULTIPLES.get(text[-1:], 1)
    digits = text[:-1] if factor > 1 else text
    return _bounded(float(digits) * factor)


def _duration(text: str) -> float:
    digits = text.rstrip("abcdefghijklmnopqrstuvwxyz")
    return _bounded(float(digits) * _DURATIONS_NS[text[len(digits) :]])


def _money(text: str) -> float:
    return _bounded(float(text.removeprefix("$")))


def _time(text: str) -> int:
    return parse_time("started", text)


def _bounded(number: float) -> float:
    if not abs(number) < _MAX_NUMBER:  # NaN too
        raise ValueError
    return number


_NUMBERS: Final = {"number": _number, "duration": _duration, "money": _money, "time": _time}


def _near(word: str, known: Collection[str]) -> str:
    return next(iter(get_close_matches(word.lower(), known, n=1)), "")
