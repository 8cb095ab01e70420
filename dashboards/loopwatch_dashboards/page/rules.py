"""Rules: what is watched, and what each rule would have said of the past."""

from collections.abc import Mapping
from typing import Any, Final

import streamlit as st

from loopwatch_dashboards import choices, formatting, frame, navigation, reading, states, tables
from loopwatch_dashboards.charts import palette
from loopwatch_dashboards.charts.rule_test import rule_test
from loopwatch_dashboards.context import Context
from loopwatch_dashboards.errors import DashboardsError
from loopwatch_dashboards.text import plain

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

# A test evaluates the rule once a step; a week every five minutes would take longer than a reader waits.
_LEAST_STEP_SECONDS: Final = 300
_MOST_STEPS: Final = 168


def rules() -> None:
    """The Rules page; with the URL parameter `rule` one rule."""
    frame.page("Rules", _body, needs_runs=False)


def _body(context: Context) -> None:
    got = context.collector.ask("/api/v1/rules").result()
    for fault in got["faults"]:
        where = f"line {fault['line']}: " if fault["line"] else ""
        st.error(plain(f"The rules file: {where}{fault['message']}", 600), icon=":material/error:")
    name = context.params.get("rule", "")
    rule = next((one for one in got["rules"] if one["name"] == name), None)
    if rule:
        _one(context, rule)
        return
    firing = sum(1 for one in got["rules"] if one["state"]["firing"])
    st.markdown(f"**{formatting.plural(len(got['rules']), 'rule')}, {firing} firing**")
    st.caption("Click a row for what it watches and what it would have said of this time range.")
    tables.show(
        context,
        [shown(one) for one in got["rules"]],
        LISTED,
        key="rules",
        opens=lambda row: navigation.go(context, "rules", rule=str(row["name"])),
        height=560 if len(got["rules"]) > tables.AUTO_ROWS else None,
    )


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
    if rule["state"]["error"]:
        st.error(plain(rule["state"]["error"], 600), icon=":material/error:")
    window = context.window
    between = {"from": window.start.isoformat(), "to": window.end.isoformat()}
    try:
        with st.skeleton(height=260):
            step = max(int((window.end - window.start).total_seconds() / _MOST_STEPS), _LEAST_STEP_SECONDS)
            asked = context.collector.ask(f"/api/v1/rules/{rule['name']}/test", step_seconds=step, **between)
            tested = asked.result()
        _tested(context, tested)
    except DashboardsError as fault:
        st.caption("What it would have said of this time range could not be told:")
        states.failed(fault)
    with st.expander("The rule as TOML", expanded=True):
        reading.body(rule["toml"])


def _tested(context: Context, tested: Mapping[str, Any]) -> None:
    groups = [group for group in tested["groups"] if any(point["value"] is not None for point in group["points"])]
    alerts = sum(len(group["alerts"]) for group in groups)
    st.markdown(f"**It would have fired {formatting.plural(alerts, 'time')} in this time range**")
    if not groups:
        st.caption("Nothing it watches happened in this time range.")
        return
    names = [", ".join(f"{key} {value}" for key, value in group["group"].items()) or "all" for group in groups]
    order = sorted(range(len(groups)), key=lambda i: (-len(groups[i]["alerts"]), -_known(groups[i])))
    name = choices.pick("Of", [names[i] for i in order], param="of", context=context) if len(groups) > 1 else names[0]
    group = groups[names.index(name)]
    with st.container(border=True, key="panel-rule-test"):
        every = formatting.duration(tested["step_s"] * 1e9)
        st.caption(f"Value, threshold (dashed) and when it would have fired (shaded), looked at every {every}.")
        st.altair_chart(
            rule_test(group, tested["unit"], context.window, context.view.local, context.zone, palette.BLUE),
            key="rule-test",
        )


def _known(group: Mapping[str, Any]) -> int:
    return sum(point["value"] is not None for point in group["points"])
