r"""A phrase as what the engine looks for: the phrase itself however its text is written, and words that an index knows.

Contents are texts, or JSON in which texts are escaped, perhaps twice: a quotation mark has backslashes before it there,
a line break is `\n` and the word after it looks like `nword`.
"""

import json
import re
from typing import Final, NamedTuple

_WORD: Final = re.compile(r"[^\W_]+", re.UNICODE)
_BLANKS: Final = r"(?:\s|\\+[nrt])+"
_BEFORE: Final = r"(?:^|[^\p{L}\p{N}]|\\[nrtbf])"
_AFTER: Final = r"(?:$|[^\p{L}\p{N}])"
_ESCAPED: Final = {'"': r'\\*"', "\\": r"\\+", "/": r"\\*/"}
_ESCAPES: Final = ("", "n", "r", "t", "b", "f")
_MOST_CHARACTERS: Final = 200
"""Of a phrase that the engine's quick matcher is given: it compiles a state machine of all of it."""


class Sought(NamedTuple):
    """What a phrase is looked for by.

    Attributes:
        pattern: an RE2 expression for the phrase as whole words, in any case, in plain text or in JSON.
        middle: what every match of the pattern holds, for the engine's quick matcher, which knows no borders of words;
            "" when the phrase is nothing for it: what is beyond ASCII it folds in other ways.
        rarest: its longest ASCII word, which every match contains; "" when it has none.
        words: for each of its ASCII words, the tokens one of which a matching text has.
    """

    pattern: str
    middle: str
    rarest: str
    words: tuple[tuple[str, ...], ...]


def sought(phrase: str) -> Sought:
    """Returns what to look for.

    Args:
        phrase: what a person typed, with a letter or digit in it.
    """
    pieces = phrase.split()
    middle = _BLANKS.join("".join(_character(character) for character in piece) for piece in pieces)
    before = _BEFORE if pieces[0][0].isalnum() else ""
    after = _AFTER if pieces[-1][-1].isalnum() else ""
    words = sorted({match[0].lower() for match in _WORD.finditer(phrase) if _is_token(phrase, match)})
    rarest = max(words, key=len, default="")
    is_quick = phrase.isascii() and len(phrase) <= _MOST_CHARACTERS
    return Sought(
        pattern=f"(?is){before}{middle}{after}",
        middle=f"(?is){middle}" if is_quick else "",
        rarest=rarest,
        words=tuple(_tokens(word) for word in words),
    )


def _character(character: str) -> str:
    if character in _ESCAPED:
        return _ESCAPED[character]
    if not character.isascii():
        return f"(?:{character}|{re.escape(json.dumps(character)[1:-1])})"
    return character if character.isalnum() else f"\\x{ord(character):02x}"


def _is_token(phrase: str, match: re.Match[str]) -> bool:
    """Whether the engine takes the word for one: it counts every sign beyond ASCII among the letters."""
    around = phrase[max(0, match.start() - 1) : match.end() + 1]
    return around.isascii()


def _tokens(word: str) -> tuple[str, ...]:
    return tuple(escape + word for escape in _ESCAPES)
