"""Durations as people write them: `90s`, `15m`, `1h30m`, `28d`."""

import re
from typing import Final

NS: Final = 1_000_000_000
_UNITS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_TEXT: Final = re.compile(r"(\d+[smhdw])+")


def parse_duration(text: str) -> int:
    """Reads a duration.

    Args:
        text: numbers with units s, m, h, d or w, the largest unit first or not.

    Returns:
        Seconds.

    Raises:
        ValueError: it is not of that form.
    """
    if not _TEXT.fullmatch(text):
        raise ValueError(f"'{text}' is not a duration like 90s, 15m, 1h30m or 28d")
    return sum(int(part[:-1]) * _UNITS[part[-1]] for part in re.findall(r"\d+[smhdw]", text))


def format_duration(seconds: float) -> str:
    """Writes a duration with its two largest units, such as `1 h 30 min`."""
    rest = round(seconds)
    parts: list[str] = []
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"
