"""How wide text is in the pages' typeface, near enough to break it into lines before a browser has drawn it."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

from loopwatch_dashboards.text import one_line

# Shares of the size of the letters of Source Sans, the pages' typeface; rather more than is measured than less.
_NARROW: Final = dict.fromkeys("ijl.,:;'|!()[]ftrI` ", 0.33)
_BROAD: Final = dict.fromkeys("mwMW@%—…", 0.83)
_SHAPES: Final = {**_NARROW, **_BROAD}
_CAPITAL, _FULL, _USUAL = 0.61, 1.0, 0.52
_BREAKS_AFTER: Final = re.compile(r"(?<=[\s_\-/.:,;])")
_LEAST_CHARACTERS, _FEWER = 40, 8
_CONTROL_LETTER_PX: Final = 14


def em_width(text: str) -> float:
    """How wide a text is, in multiples of the size of its letters."""
    return sum(map(_width_of, text))


def _width_of(character: str) -> float:
    if character in _SHAPES:
        return _SHAPES[character]
    if unicodedata.combining(character):
        return 0.0
    if unicodedata.east_asian_width(character) in "WF":
        return _FULL
    return _CAPITAL if character.isupper() or not character.isascii() else _USUAL


def control_width(chosen: Sequence[str], least_px: int, most_px: int, signs_px: int) -> int:
    """How wide a control is in which what is chosen can be read, in pixels.

    Args:
        chosen: what is chosen in it; all of them one beside the other.
        least_px: its width where nothing is chosen, or what is short.
        most_px: its width where it is long, and broken into lines.
        signs_px: what its signs and rims take, for each that is chosen.
    """
    needed = sum(em_width(one) * _CONTROL_LETTER_PX + signs_px for one in chosen)
    return int(min(max(least_px, needed), most_px))


@lru_cache(4096)
def lines(text: str, width_em: float, max_lines: int) -> tuple[str, ...]:
    """A text as lines that are no wider than their place.

    Args:
        text: any text; it is made visible.
        width_em: how wide the place is, in multiples of the size of its letters.
        max_lines: how many lines there is room for; the last one says how much is left out.

    Returns:
        At least one line; broken at blanks and after marks that stand in names, elsewhere where there is neither.
    """
    room = int(width_em * max_lines / min(_SHAPES.values())) + _LEAST_CHARACTERS
    while len(found := _broken(one_line(text, room), width_em)) > max_lines and room > _LEAST_CHARACTERS:
        room -= _FEWER
    return tuple(found)


def _broken(line: str, width_em: float) -> list[str]:
    found, now, width = [""], "", 0.0
    for piece in _pieces(line, width_em):
        if now and width + em_width(piece.rstrip()) > width_em:
            found.append("")
            now, width = "", 0.0
        now, width = now + piece, width + em_width(piece)
        found[-1] = now.rstrip()
    return found


def _pieces(line: str, width_em: float) -> Iterable[str]:
    """What of a line stays together; a piece that is wider than the place is taken apart."""
    for piece in _BREAKS_AFTER.split(line):
        if em_width(piece.rstrip()) <= width_em:
            yield piece
        else:
            yield from piece
