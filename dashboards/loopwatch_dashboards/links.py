"""Ways from a mark or a row to the runs behind it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from loopwatch_dashboards import navigation
from loopwatch_dashboards.context import Context
from loopwatch_dashboards.view import FILTERS

GROUPS: Final = (*FILTERS, "provider", "service", "prompt_version", "user", "conversation", "tag")
"""What rules are grouped by and the filter language has a field for."""


def open_runs(context: Context, where: str = "", **params: str) -> None:
    """Opens the runs behind a mark: filters narrow the view, the rest goes to the Runs page.

    Args:
        context: the view to start from.
        where: a condition of the filter language; empty for none.
        **params: values of filters, and parameters of the Runs page.
    """
    view = context.view.with_where(where)
    for name in FILTERS:
        if params.get(name):
            view = view.with_filter(name, params[name])
    rest = {name: value for name, value in params.items() if name not in FILTERS}
    navigation.go_to("runs", context.link(view, **rest))


def open_bucket(context: Context, point: Mapping[str, Any], where: str = "", **params: str) -> None:
    """Opens the runs of a clicked bucket: its time range, the filters, and what else the mark stands for."""
    start = datetime.fromtimestamp(float(point["bucket"]) / 1000, UTC)
    end = min(start + timedelta(seconds=context.window.step_seconds), context.window.end)
    view = context.view.with_range(max(start, context.window.start), end)
    open_runs(replace(context, view=view), where, **params)


def open_iterations(context: Context, iterations: int, dimension: str, value: str) -> None:
    """Opens the runs with a number of iterations, of one outcome, agent or version."""
    open_runs(context, f"iterations = {iterations}", **{dimension: value})


def open_tool(context: Context, tool: str) -> None:
    """Opens the runs that called a tool."""
    open_runs(context, called(tool))


def open_run(context: Context, run_id: str, **params: str) -> None:
    """Opens one run."""
    navigation.go(context, "run", run=run_id, **params)


def condition(field: str, value: str) -> str:
    """A condition of the filter language: the field equals a text."""
    return f"{field} = {json.dumps(value, ensure_ascii=False)}"


def of_group(name: str, value: str) -> str:
    """A condition of the filter language for the runs of a rule's group; empty where it has no word for it.

    Args:
        name: what the rule is grouped by.
        value: the group; empty for the one without a name.
    """
    if name == "tool":
        return called(value) if value else ""
    is_field = name in GROUPS or name.startswith("attributes.")
    return condition(name, value) if is_field else ""


def called(tool: str) -> str:
    """A condition of the filter language: the run called a tool."""
    return f"called({json.dumps(tool, ensure_ascii=False)})"


def failed(tool: str) -> str:
    """A condition of the filter language: a call of a tool failed."""
    return f"failed({json.dumps(tool, ensure_ascii=False)})"


def decided_with(tenth: float) -> str:
    """A condition of the filter language: a decision stated a confidence in the tenth that begins there."""
    return f"decided_with({tenth:g})"


def any_of(field: str, values: Sequence[str]) -> str:
    """A condition of the filter language: the field is one of these texts."""
    return f"{field} in ({', '.join(json.dumps(value, ensure_ascii=False) for value in dict.fromkeys(values))})"


def pager(context: Context, path: str, cursor: str, next_cursor: str | None) -> None:
    """Links to the first and the next page of a list."""
    kept = {name: value for name, value in context.params.items() if name != "cursor"}
    if cursor:
        navigation.link(context, path, "First page", ":material/first_page:", **kept)
    if next_cursor:
        navigation.link(context, path, "Next page", ":material/chevron_right:", **kept, cursor=next_cursor)
