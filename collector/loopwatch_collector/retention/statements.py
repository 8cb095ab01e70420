"""The SQL files of this folder, by name."""

from functools import cache
from importlib import resources


@cache
def statement(name: str) -> str:
    """Returns the SQL of a statement, by its file's name without the ending."""
    return (resources.files("loopwatch_collector.retention") / "sql" / f"{name}.sql").read_text(encoding="utf-8")
