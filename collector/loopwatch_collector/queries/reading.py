"""The fixed reads behind the routes, each a file under reads/."""

from functools import cache
from importlib import resources


@cache
def reading(name: str) -> str:
    """Returns the SQL of a read, by its file's name without the ending; `{{summary}}` is a run's summary columns."""
    folder = resources.files("loopwatch_collector.queries") / "reads"
    summary = (folder / "summary.sql").read_text(encoding="utf-8").rstrip()
    return (folder / f"{name}.sql").read_text(encoding="utf-8").replace("{{summary}}", summary)
