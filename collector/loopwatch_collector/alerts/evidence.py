"""The runs behind an alert, for its message and its page."""

from typing import Final

from loopwatch_collector.alerts.conditions import Group
from loopwatch_collector.alerts.ranges import window_ending
from loopwatch_collector.alerts.rule import Rule
from loopwatch_collector.alerts.sources import OWN
from loopwatch_collector.queries.catalogue import FILTERS
from loopwatch_collector.queries.runner import Question, ask
from loopwatch_collector.store.client import Connection

_RUNS: Final = 5
_RUN_COLUMNS: Final = ("run_id", "example_run_id")


def runs_behind(connection: Connection, project: str, rule: Rule, group: Group, now_ns: int) -> tuple[str, ...]:
    """Finds the runs that say most about an alert.

    Args:
        connection: this thread's.
        project: whose data.
        rule: names the query that is asked, and the window.
        group: of the alert; a filter where the dimension is one, else compared with the column of its name.
        now_ns: where the window ends.

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
    answer = ask(connection, question)
    names = [column.name for column in answer.query.columns]
    place = next((names.index(name) for name in _RUN_COLUMNS if name in names), None)
    if place is None:
        return ()
    own = names.index(rule.group_by) if rule.group_by in names and rule.group_by not in FILTERS else None
    found = [str(row[place]) for row in answer.rows if own is None or row[own] == group]
    return tuple(dict.fromkeys(found))[:_RUNS]
