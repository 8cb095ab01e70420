"""Rules: what is watched, and what each rule would have said of the past."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import streamlit as st

from loopwatch_dashboards import (
    access,
    choices,
    formatting,
    frame,
    links,
    navigation,
    panels,
    rule_editor,
    states,
    tables,
)
from loopwatch_dashboards.api import Answer, Column
from loopwatch_dashboards.charts import palette
from loopwatch_dashboards.charts.rule_test import rule_test
from loopwatch_dashboards.context import Context
from loopwatch_dashboards.errors import DashboardsError
from loopwatch_dashboards.text import plain
from loopwatch_dashboards.view import FILTERS

LISTED: Final = {
    "title": ("rule", "text"),
    "severity": ("severity", "text"),
    "state": ("state", "text"),
    "query": ("query", "text"),
    "value": ("value", "text"),
    "window": ("over", "ns"),
    "source": ("source", "text"),
    "evaluated_at": ("last evaluated", "time"),
}
MOST_ROWS: Final = 16
LIST_HEIGHT: Final = tables.rows_height(MOST_ROWS)  # in pixels
# A test evaluates the rule once a step: so often that the graph is smooth, and each moment of the range is in a window.
# A week every five minutes would take longer than a reader waits.
_LEAST_STEP_SECONDS: Final = 300
_USUAL_STEPS: Final = 168
_MOST_STEPS: Final = 720


def rules() -> None:
    """The Rules page; with the URL parameter `rule` one rule."""
    frame.page("Rules", _body, needs_runs=False)


def _body(context: Context) -> None:
    got = states.awaited(context.collector.ask("/api/v1/rules"), LIST_HEIGHT, hint="")
    for fault in got["faults"]:
        where = f"line {fault['line']}: " if fault["line"] else ""
        st.error(plain(f"The rules file: {where}{fault['message']}", 600), icon=":material/error:")
    name = context.params.get("rule", "")
    rule = next((one for one in got["rules"] if one["name"] == name), None)
    if rule:
        _one(context, rule)
        return
    access.explain(context, "changing rules")
    st.markdown(f"**{fact(got['rules'])}**")
    st.caption("Click a row for what it watches and what it would have said of this time range.")
    tables.show(
        context,
        [shown(one) for one in sorted(got["rules"], key=urgency)],
        LISTED,
        key="rules",
        opens=lambda row: navigation.go(context, "rules", rule=str(row["name"])),
        most_rows=MOST_ROWS,
    )
    rule_editor.new(context)


def fact(rules: Sequence[Mapping[str, Any]]) -> str:
    """How many rules there are, how many fire and how many are no use now."""
    firing = sum(1 for one in rules if one["state"]["firing"])
    faulty = sum(1 for one in rules if one["enabled"] and one["state"]["error"])
    said = f"{formatting.plural(len(rules), 'rule')}, {firing} firing"
    return f"{said}, {faulty} cannot be evaluated" if faulty else said


def urgency(rule: Mapping[str, Any]) -> int:
    """Orders rules: what fires first, then what cannot be evaluated, what is pending, what is quiet, what is off."""
    state = rule["state"]
    ranks = (state["firing"], state["error"], state["pending"], True)
    return next(rank for rank, holds in enumerate(ranks) if holds) if rule["enabled"] else len(ranks)


def shown(rule: Mapping[str, Any]) -> dict[str, Any]:
    """A rule as a row."""
    state = rule["state"]
    said = "off" if not rule["enabled"] else "cannot be evaluated" if state["error"] else "quiet"
    if rule["enabled"] and state["firing"]:
        said = f"{state['firing']} firing"
    elif rule["enabled"] and state["pending"]:
        said = f"{state['pending']} pending"
    return {**rule, "state": said, "window": rule["window_s"] * 1e9, "evaluated_at": state["evaluated_at"]}


def _one(context: Context, rule: Mapping[str, Any]) -> None:
    navigation.link(context, "rules", "All rules", ":material/arrow_back:")
    st.subheader(plain(rule["title"]), anchor=False)
    st.markdown(plain(rule["description"] or rule["name"], 800))
    access.explain(context, "changing rules")
    rule_editor.switch(context, rule)
    if rule["state"]["error"]:
        st.error(plain(rule["state"]["error"], 600), icon=":material/error:")
    try:
        with states.waiting(260):
            tested = _test(context, rule)
        _tested(context, rule, tested)
    except DashboardsError as fault:
        st.caption("What it would have said of this time range could not be told:")
        states.failed(fault)
    rule_editor.edit(context, rule)


def _test(context: Context, rule: Mapping[str, Any]) -> Mapping[str, Any]:
    """Replays the rule, or the text that is being tried in its place, over the page's time range."""
    window = context.window
    step = step_seconds((window.end - window.start).total_seconds(), rule["window_s"])
    asked = {"from": window.start.isoformat(), "to": window.end.isoformat(), "step_seconds": str(step)}
    text = rule_editor.draft(rule)
    if not text:
        return context.collector.ask(f"/api/v1/rules/{rule['name']}/test", **asked).result()
    st.info("The text below is tried here; it is not saved.", icon=":material/science:")
    return context.collector.change("POST", "/api/v1/rules/test", {"toml": text}, **asked)


def step_seconds(range_s: float, window_s: float) -> int:
    """How far apart, in seconds, a test looks at a rule over a range."""
    wanted_s = min(range_s / _USUAL_STEPS, max(range_s / _MOST_STEPS, window_s / 2))
    return max(round(wanted_s / _LEAST_STEP_SECONDS), 1) * _LEAST_STEP_SECONDS


def _tested(context: Context, rule: Mapping[str, Any], tested: Mapping[str, Any]) -> None:
    groups = [group for group in tested["groups"] if any(point["value"] is not None for point in group["points"])]
    alerts = sum(len(group["alerts"]) for group in groups)
    st.markdown(f"**It would have fired {formatting.plural(alerts, 'time')} in this time range**")
    if not groups:
        st.caption("Nothing it watches happened in this time range.")
        return
    names = [
        ", ".join(f"{key} {value or 'without a name'}" for key, value in group["group"].items()) or "all"
        for group in groups
    ]
    order = sorted(range(len(groups)), key=lambda i: (-len(groups[i]["alerts"]), -_known(groups[i])))
    name = choices.pick("Of", [names[i] for i in order], param="of", context=context) if len(groups) > 1 else names[0]
    group = groups[names.index(name)]
    looked_at = f"looked at every {formatting.duration(tested['step_s'] * 1e9)}"
    if tested["step_s"] > tested["window_s"]:
        looked_at += ", which leaves some moments out: choose a shorter range to see them all"
    panels.chart_panel(
        context,
        panels.Behind(as_answer(rule["name"], tested["unit"], group)),
        key="rule-test",
        title=lambda _: f"{name}: it would have fired {formatting.plural(len(group['alerts']), 'time')}",
        runs=panels.in_view(context),
        note=f"Value, threshold (dashed) and firing (shaded), {looked_at}. Click a point for its runs.",
        chart=lambda _: rule_test(
            group, tested["unit"], context.window, context.zone, palette.BLUE, panels.click("bucket")
        ),
        opens=lambda point: _open(context, tested, group["group"], float(point["bucket"])),
    )


def as_answer(rule: str, unit: str, group: Mapping[str, Any]) -> Answer:
    """The points of one group of a rule's test as the table behind its chart."""
    columns = (Column("time", "time"), Column("value", unit), Column("threshold", unit))
    return Answer(
        f"rules/{rule}/test", columns, [{c.name: point[c.name] for c in columns} for point in group["points"]]
    )


def _open(context: Context, tested: Mapping[str, Any], group: Mapping[str, str], end_ms: float) -> None:
    """Opens the runs of the window that ended at a point: the group's, of those that the rule looks at.

    The page's own filters are put aside, for the rule is not narrowed by them.
    """
    if run_id := group.get("run_id"):
        links.open_run(context, run_id)
        return
    end = datetime.fromtimestamp(end_ms / 1000, UTC)
    view = replace(context.view, filters={}, where="").with_range(end - timedelta(seconds=tested["window_s"]), end)
    for name, values in tested["filters"].items():
        view = view.with_filter(name, *values)
    known = {name: value for name, value in group.items() if name in FILTERS and value}
    conditions = [links.of_group(name, value) for name, value in group.items() if name not in known]
    links.open_runs(replace(context, view=view), " and ".join(one for one in conditions if one), **known)


def _known(group: Mapping[str, Any]) -> int:
    return sum(point["value"] is not None for point in group["points"])
