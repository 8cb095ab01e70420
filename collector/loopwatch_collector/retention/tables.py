"""Every table of the store: how long its rows are kept, and what leads from a person to them.

A table that is missing here is one that a deletion would forget: a test holds this list against the schema.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

Kept = Literal["content_days", "days", "days_by_row", "always"]


class Table(NamedTuple):
    """What retention and deletions do with a table.

    Attributes:
        kept: content_days and days: its partitions are days, dropped when they are older; days_by_row: its rows are
            deleted when they are older; always: it stays, or the engine's TTL bounds it.
        forgotten: how a deletion finds the rows of a conversation, customer or user; "" when it leaves the table alone.
        why: where it is left alone: why nobody is named there, or may be.
    """

    kept: Kept
    forgotten: str = ""
    why: str = ""


TABLES: Final[Mapping[str, Table]] = MappingProxyType(
    {
        "spans": Table("days", "by the columns and attributes that name them, and by run"),
        "runs": Table("days", "by run"),
        "contents": Table("content_days", "by the spans and log events that refer to them"),
        "log_events": Table("content_days", "by the columns and attributes that name them, and by span"),
        "metric_points": Table("days", "by the attributes that name them"),
        "verdicts": Table("days_by_row", "by run, and by author"),
        "run_extents": Table("always", "by run"),
        "alerts": Table("always", "by the group they are about"),
        "alert_remarks": Table("always", "by the group they silence"),
        "dead_letters": Table("days", why="bodies that could not be read; they go with their days"),
        "deletions": Table("always", why="the record of what was deleted, which is its proof"),
        "alert_rules": Table("always", why="what the operator wrote: a rule about one customer is edited, not deleted"),
        "leases": Table("always", why="names of collectors"),
        "rates": Table("always", why="prices of models"),
        "repriced_days": Table("always", why="sums by day"),
        "repriced_calls": Table("always", why="prices by span id, for a day"),
        "schema_migrations": Table("always", why="the schema's history"),
    }
)
