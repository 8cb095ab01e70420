"""What rules can be about: the named queries, and beside them the collector's own health and what was lost."""

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
    ],
)
LOSSES: Final = NamedQuery(
    "losses",
    title="What was lost, and where",
    description="What this collector refused or set aside in the range, and what senders reported to have dropped.",
    columns=[
        QueryColumn("source", "text", "Where: the collector, or a sender's service, process and reason"),
        QueryColumn("lost", "count", "Spans, and of the collector's set aside records"),
    ],
)
OWN: Final = {source.name: source for source in (COLLECTOR, LOSSES)}


def source_named(name: str) -> NamedQuery | None:
    """Returns what a rule calls its query, or None when there is no such thing."""
    return OWN.get(name) or catalogue().get(name)


def source_names() -> list[str]:
    """All that a rule can name."""
    return [*OWN, *catalogue()]
