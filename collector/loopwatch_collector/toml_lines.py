"""The lines a TOML document's values stand on, which tomllib does not tell."""

import re
from typing import Final

_HEADER: Final = re.compile(r"\s*\[(\[?)\s*([^\[\]]+?)\s*\]\]?\s*(#.*)?$")
_KEY: Final = re.compile(r"""\s*("?[\w.-]+"?)\s*=""")

Path = tuple[str | int, ...]
"""Where a value is: names of tables and keys, and the place within an array of tables."""


class Lines:
    """The lines of a document's tables and keys.

    Args:
        text: a valid TOML document. Keys of inline tables have the line of the table.
    """

    def __init__(self, text: str) -> None:
        self._lines: dict[Path, int] = {}
        counts: dict[Path, int] = {}
        table: Path = ()
        in_text = ""
        for number, line in enumerate(text.splitlines(), 1):
            in_text, was_in_text = _open_text(line, in_text), in_text
            if was_in_text:
                continue
            if header := _HEADER.match(line):
                table = _table(header[2], is_array=bool(header[1]), counts=counts)
                self._lines[table] = number
            elif key := _KEY.match(line):
                self._lines.setdefault((*table, *key[1].replace('"', "").split(".")), number)

    def of(self, path: Path) -> int | None:
        """The line of a value, else of the first value within it, else of the nearest table around it."""
        within = [line for known, line in self._lines.items() if known[: len(path)] == path]
        if path and within:
            return min(within)
        while path:
            if path in self._lines:
                return self._lines[path]
            path = path[:-1]
        return None


def _open_text(line: str, mark: str) -> str:
    """Returns the mark of the multi-line text that is open after a line, or ""."""
    for found in re.findall(r'"""|' + "'''", line):
        if not mark:
            mark = found
        elif mark == found:
            mark = ""
    return mark


def _table(name: str, *, is_array: bool, counts: dict[Path, int]) -> Path:
    path: Path = ()
    parts = [part.strip().strip('"') for part in name.split(".")]
    for depth, part in enumerate(parts):
        path = (*path, part)
        if is_array and depth == len(parts) - 1:
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, counts[path])
    return path
