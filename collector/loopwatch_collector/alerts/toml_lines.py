"""TOML with the lines its values stand on, and faults that name them."""

import re
import tomllib
from typing import Any, Final

from loopwatch_collector.alerts.errors import Fault, InvalidRule
from loopwatch_collector.toml_lines import Lines, Path

__all__ = ["Lines", "Path", "load_toml"]

_SYNTAX_LINE: Final = re.compile(r"(.*) \(at (?:line (\d+), column \d+|end of document)\)")


def load_toml(text: str) -> tuple[dict[str, Any], Lines]:
    """Reads a document.

    Raises:
        InvalidRule: it is not TOML; the fault says where.
    """
    try:
        return tomllib.loads(text), Lines(text)
    except tomllib.TOMLDecodeError as fault:
        match = _SYNTAX_LINE.fullmatch(str(fault))
        line = int(match[2]) if match and match[2] else len(text.splitlines()) if match else None
        raise InvalidRule([Fault(line, f"not TOML: {match[1] if match else fault}")]) from fault
