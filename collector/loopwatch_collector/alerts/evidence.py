"""The runs behind an alert, for its message and its page."""

from typing import Final

from loopwatch_collector.alerts.conditions import Group
from loopwatch_collector.alerts.ranges import window_ending
from loopwatch_collector.alerts.rule import Rule
from loopwatch_collector.alerts.sources import OWN
from loopwatch_collector.queries.catalogue import FILTERS, NamedQuery
from loopwatch_collector.queries.runner import READ_SETTINGS, Question, ask
from loopwatch_collector.store.client import Connection

_RUNS: Final = 5
_RUN_COLUMNS: Final = ("run_id", "example_run_id")


def names_runs(query: NamedQuery) -> bool:
    """Whether a query can be asked for the runs behind an alert: it names runs, and needs nothing but a range."""
    has_runs = any(column.name in _RUN_COLUMNS for column in query.columns)
    return has_runs and all(param.default is not None for param in query.params)


def runs_behind(
    connection: Connection, project: str, rule: Rule, group: Group, now_ns: int, left_s: float | None = None
) -> tuple[str, ...]:
    """Finds the runs that say most about an alert.

    Args:
        connection: this thread's.
        project: whose data.
        rule: names the query that is asked, and the window.
        group: of the alert; a filter where the dimension is one, else compared with the column of its name.
        now_ns: where the window ends.
        left_s: how long the engine may take; None for the limit of every question.

    Returns:
        Up to five run ids, in the query's order.
    """
    if rule.query in OWN:
        return ()
    stretch = window_ending(now_ns, rule.window_s)
    filters = dict(rule.filters)
    if rule.group_by in FILTERS:
        filters[rule.group_by] = (group,)
    question = Question(rule.evidence, project, stretch.from_ns, stretch.to_ns, filters=filters, limit=100)
    settings = READ_SETTINGS if left_s is None else {**READ_SETTINGS, "max_execution_time": left_s}
    answer = ask(connection, question, settings)
    names = [column.name for column in answer.query.columns]
    place = next((names.index(name) for name in _RUN_COLUMNS if name in names), None)
    if place is None:
        return ()
    own = names.index(rule.group_by) if rule.group_by in names and rule.group_by not in FILTERS else None
    found = [str(row[place]) for row in answer.rows if own is None or row[own] == group]
    return tuple(dict.fromkeys(found))[:_RUNS]
