"""Derives all of `runs` anew from `spans`, day by day. Readers see every run meanwhile, as it was or as it is."""

from collections.abc import Callable
from typing import NamedTuple

from loopwatch_collector.store.statements import statement
from loopwatch_collector.store.store import Store


class Rebuilt(NamedTuple):
    """What a rebuild went over."""

    days: int
    runs: int


def rebuild_runs(store: Store, progress: Callable[[str, str], None] = lambda project, day: None) -> Rebuilt:
    """Derives every run of every project, and takes away those that have no span left.

    Args:
        store: the store to work on; it may be written to and read from meanwhile.
        progress: called with project and day (ISO) as each is begun.

    Returns:
        How many days of projects, and how many runs (one that spans midnight counts on each day).
    """
    connection = store.connection()
    began = connection.rows(statement("latest_run_version"))[0][0] + 1
    runs = 0
    days = connection.rows(statement("span_days"))
    store.forget_runs()
    for project, day in days:
        progress(project, day.isoformat())
        rows = connection.rows(statement("runs_of_day"), {"project": project, "day": day})
        store.refresh_runs([(project, run_id, first_ns, last_ns) for run_id, first_ns, last_ns in rows])
        runs += len(rows)
    connection.run(statement("bury_runs"), {"row_version": began})
    return Rebuilt(len(days), runs)
