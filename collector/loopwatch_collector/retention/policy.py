"""How long each project's data is kept."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final, NamedTuple

from loopwatch_collector.retention.tables import TABLES

# Tables with a partition per project and day; content has days of its own, and so has what came in logs: it holds
# prompts.
CONTENT_TABLES: Final = frozenset(name for name, table in TABLES.items() if table.kept == "content_days")
DATED_TABLES: Final = tuple(name for name, table in TABLES.items() if table.kept in {"content_days", "days"})


class Days(NamedTuple):
    """How many days something is kept, today included."""

    content: int
    everything: int


class Partition(NamedTuple):
    """One project's day of one table.

    Attributes:
        table: its name.
        partition_id: the engine's id of the partition.
        project: whose it is.
        day: the UTC day.
        rows: what would go with it.
        bytes_on_disk: the room that would be free.
    """

    table: str
    partition_id: str
    project: str
    day: date
    rows: int
    bytes_on_disk: int


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """Days by project.

    Attributes:
        default: for projects that are not named.
        projects: for those that are.
    """

    default: Days
    projects: Mapping[str, Days] = field(default_factory=dict[str, Days])

    def days(self, project: str) -> Days:
        """How long a project's data is kept."""
        return self.projects.get(project, self.default)

    def first_day(self, table: str, project: str, today: date) -> date:
        """The oldest UTC day of a table that is still kept."""
        days = self.days(project)
        kept = min(days) if table in CONTENT_TABLES else days.everything
        return today - timedelta(days=kept - 1)


def expired(partitions: Iterable[Partition], policy: RetentionPolicy, today: date) -> list[Partition]:
    """The partitions that are older than their project keeps them.

    Args:
        partitions: what is stored.
        policy: how long it is kept.
        today: the UTC day it is.

    Returns:
        Those to drop, in the order given.
    """
    return [
        partition
        for partition in partitions
        if partition.day < policy.first_day(partition.table, partition.project, today)
    ]


def parse_projects(text: str) -> dict[str, Days]:
    """Reads `project:content_days:days,...`.

    Raises:
        ValueError: an entry is not of that form; it is named.
    """
    found: dict[str, Days] = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        project, _, numbers = entry.partition(":")
        content, _, everything = numbers.partition(":")
        if not project or not content.isdecimal() or not everything.isdecimal() or not int(content) * int(everything):
            raise ValueError(f"'{entry}' is not project:content_days:days with whole numbers above 0")
        found[project] = Days(int(content), int(everything))
    return found
