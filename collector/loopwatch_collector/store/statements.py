"""The store's own statements, each a file under sql/."""

import re
from functools import cache
from importlib import resources
from typing import Final

_PIECE: Final = re.compile(r"\{\{(\w+)\}\}(.*?)\{\{/\1\}\}", re.DOTALL)


@cache
def statement(name: str) -> str:
    """Returns the SQL of a statement, by its file's name without the ending."""
    return (resources.files("loopwatch_collector.store") / "sql" / f"{name}.sql").read_text(encoding="utf-8")


@cache
def statement_for(name: str, *kinds: str) -> str:
    """Returns the SQL of a statement that is written for several kinds of work at once.

    Args:
        name: its file's name without the ending.
        kinds: whose pieces stay, those between {{kind}} and {{/kind}}; those of others go. Pieces may hold pieces.
    """
    text = statement(name)
    while _PIECE.search(text):
        text = _PIECE.sub(lambda piece: piece[2] if piece[1] in kinds else "", text)
    return text
