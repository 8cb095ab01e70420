"""The condition that a filter line is, on the store it is asked of."""

from typing import Any, Final

from loopwatch_collector.queries.filter.compile import Filter, compile_filter
from loopwatch_collector.queries.reading import reading
from loopwatch_collector.store.client import Connection

_SETTINGS: Final[dict[str, Any]] = {"max_threads": 1}


def condition_of(connection: Connection, project: str, text: str) -> Filter:
    """Compiles a filter line; events out of logs are searched only where the project has any.

    Most senders write none, and planning to look for them is a third of what planning a search takes.

    Args:
        connection: this thread's.
        project: whose runs are asked about.
        text: the line; empty for none.

    Raises:
        InvalidFilter: it is not a filter.
    """
    condition = compile_filter(text)
    if not condition.searches_logs or _has_log_events(connection, project):
        return condition
    return compile_filter(text, with_logs=False)


def _has_log_events(connection: Connection, project: str) -> bool:
    return bool(connection.rows(reading("log_events_count"), {"project": project}, _SETTINGS)[0][0])
