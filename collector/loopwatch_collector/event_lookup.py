"""What the events route asks the store: when records of requests began that have come before."""

from loopwatch_collector.receive.request_starts import Lookup
from loopwatch_collector.store.statements import statement
from loopwatch_collector.store.store import Store


def event_lookup(store: Store) -> Lookup:
    """The look-up over one store.

    Args:
        store: where the runs are.
    """

    def look_up(project: str, run_ids: list[str]) -> dict[str, int]:
        rows = store.connection().rows(statement("event_runs"), {"project": project, "run_ids": run_ids})
        return dict(rows)

    return look_up
