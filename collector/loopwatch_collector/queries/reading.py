"""The fixed reads behind the routes, each a file under reads/."""

from functools import cache
from importlib import resources

from loopwatch_collector.queries.catalogue import without_comments


@cache
def reading(name: str) -> str:
    """Returns the SQL of a read, by its file's name without the ending; `{{summary}}` is a run's summary columns."""
    folder = resources.files("loopwatch_collector.queries") / "reads"
    summary = (folder / "summary.sql").read_text(encoding="utf-8").rstrip()
    return without_comments((folder / f"{name}.sql").read_text(encoding="utf-8").replace("{{summary}}", summary))
