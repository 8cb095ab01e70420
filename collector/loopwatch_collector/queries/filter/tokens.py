"""A filter's text to tokens."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from loopwatch_collector.queries.filter.errors import InvalidFilter

MAX_CHARACTERS: Final = 2_000
_TOKEN: Final = re.compile(
    r"""\s*(?:
        (?P<text>"(?:[^"\\]|\\.)*")
      | (?P<operator>!=|!~|<=|>=|=|<|>|~)
      | (?P<punctuation>[(),])
      | (?P<word>[^\s"=<>~!(),]+)
    )""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a filter.

    Attributes:
        kind: word, text (was in quotation marks), operator, punctuation, or end.
        value: the piece, without its quotation marks.
        position: where it begins, in characters from 0.
    """

    kind: str
    value: str
    position: int

    def is_word(self, *values: str) -> bool:
        """Whether this is one of these words, in any case."""
        return self.kind == "word" and self.value.lower() in values


def tokens(text: str) -> list[Token]:
    """Splits a filter; the last token is of the kind end.

    Raises:
        InvalidFilter: a quotation mark is not closed, a character has no meaning, or the filter is too long.
    """
    if len(text) > MAX_CHARACTERS:
        raise InvalidFilter(f"a filter has at most {MAX_CHARACTERS} characters", MAX_CHARACTERS)
    return [*_pieces(text), Token("end", "", len(text))]


def _pieces(text: str) -> Iterator[Token]:
    position, end = 0, len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise _unreadable(text, position)
        kind, begin = match.lastgroup, match.start(match.lastgroup)
        value = match[kind]
        yield Token(kind, re.sub(r"\\(.)", r"\1", value[1:-1], flags=re.DOTALL) if kind == "text" else value, begin)
        position = match.end()


def _unreadable(text: str, position: int) -> InvalidFilter:
    begin = position + len(text[position:]) - len(text[position:].lstrip())
    if text[begin] == '"':
        return InvalidFilter("this quotation mark is not closed", begin)
    return InvalidFilter(
        f"'{text[begin]}' has no meaning here; put texts with such characters in quotation marks", begin
    )
