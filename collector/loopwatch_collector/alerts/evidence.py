"""The runs behind an alert, for its message and its page."""

import re
from typing import Final

from loopwatch_collector.alerts.conditions import Group
from loopwatch_collector.alerts.grouping import ATTRIBUTE, DIMENSION, KEY, tells_apart
from loopwatch_collector.alerts.ranges import window_ending
from loopwatch_collector.alerts.rule import Rule
from loopwatch_collector.alerts.sources import OWN
from loopwatch_collector.queries.catalogue import FILTERS, NamedQuery
from loopwatch_collector.queries.filter.compile import FILTER_PLACE
from loopwatch_collector.queries.filter.fields import field_named
from loopwatch_collector.queries.runner import READ_SETTINGS, Question, ask, named
from loopwatch_collector.store.client import Connection

_RUNS: Final = 5
_RUN_COLUMNS: Final = ("run_id", "example_run_id")
_BY_RUN: Final = "cost_top_runs"


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
        group: of the alert. It is a filter where the dimension is one; else the query is asked by the dimension, where
            it can be; else it is compared with the column of its name, or is a line of the filter language; a query
            that takes no such line gives way to one that does.
        now_ns: where the window ends.
        left_s: how long the engine may take; None for the limit of every question.

    Returns:
        Up to five run ids, in the query's order; none where nobody can tell which runs are the group's.
    """
    if rule.query in OWN:
        return ()
    query, filters, filter_text, params = named(rule.evidence), dict(rule.filters), "", dict[str, str]()
    own_column = rule.group_by if any(column.name == rule.group_by for column in query.columns) else ""
    if rule.group_by in FILTERS:
        filters[rule.group_by], own_column = (group,), ""
    elif rule.group_column == KEY and tells_apart(query, rule.params.get(DIMENSION, "")):
        params = {name: value for name, value in rule.params.items() if name in (DIMENSION, ATTRIBUTE)}
        takes_key = any(param.name == KEY for param in query.params)
        params, own_column = ({**params, KEY: group}, "") if takes_key else (params, KEY)
    elif rule.group_by and not own_column:
        filter_text = _filter_text(rule.group_by, group)
        if not filter_text:
            return ()
        query = query if FILTER_PLACE in query.sql else named(_BY_RUN)
    stretch = window_ending(now_ns, rule.window_s)
    question = Question(query.name, project, *stretch, params, filters, filter_text, limit=100)
    settings = READ_SETTINGS if left_s is None else {**READ_SETTINGS, "max_execution_time": left_s}
    answer = ask(connection, question, settings)
    names = [column.name for column in answer.query.columns]
    place = next((names.index(name) for name in _RUN_COLUMNS if name in names), None)
    if place is None:
        return ()
    own = names.index(own_column) if own_column else None
    found = [str(row[place]) for row in answer.rows if own is None or row[own] == group]
    return tuple(dict.fromkeys(found))[:_RUNS]


def _filter_text(dimension: str, group: Group) -> str:
    """A line of the filter language that a group's runs match; "" where it has no word for the dimension."""
    quoted = '"' + re.sub(r'(["\\])', r"\\\1", group) + '"'
    if dimension == "tool":
        return f"called({quoted})"
    return f"{dimension} = {quoted}" if field_named(dimension) else ""
