"""What rules can be about: the named queries, and the collector's own health beside them."""

from typing import Final

from loopwatch_collector.queries.catalogue import NamedQuery, QueryColumn, catalogue

COLLECTOR: Final = NamedQuery(
    "collector",
    title="The collector's own health",
    description="What this collector counted in the range; of the lag, the largest.",
    columns=[
        QueryColumn("lag_seconds", "count", "Age in seconds of the oldest record that waits for the store"),
        QueryColumn("rejected_spans", "count", "Spans refused, for whatever reason"),
        QueryColumn("dead_letters", "count", "Records set aside because they could not be stored"),
        QueryColumn("lost_spans", "count", "Refused spans and records set aside"),
    ],
)


def source_named(name: str) -> NamedQuery | None:
    """Returns what a rule calls its query, or None when there is no such thing."""
    return COLLECTOR if name == COLLECTOR.name else catalogue().get(name)


def source_names() -> list[str]:
    """All that a rule can name."""
    return [COLLECTOR.name, *catalogue()]
