"""The journal's SQL, by name."""

import re
from functools import cache
from pathlib import Path


@cache
def statement(name: str) -> str:
    """Returns one named block of journal.sql."""
    text = (Path(__file__).parent / "journal.sql").read_text(encoding="utf-8")
    blocks = re.split(r"^-- name: (\w+)\n", text, flags=re.MULTILINE)[1:]
    return dict(zip(blocks[::2], blocks[1::2], strict=True))[name].strip()
