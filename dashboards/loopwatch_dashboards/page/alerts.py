"""Alerts: what is firing, since when, and the runs behind it."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Final

import streamlit as st

from loopwatch_dashboards import access, choices, formatting, frame, navigation, silences, states, tables, tiles
from loopwatch_dashboards.changes import change
from loopwatch_dashboards.charts.palette import Badge
from loopwatch_dashboards.context import Context
from loopwatch_dashboards.text import plain

COLOURS: Final[dict[str, Badge]] = {"firing": "red", "pending": "orange", "resolved": "green"}
SEVERITIES: Final[dict[str, Badge]] = {"critical": "red", "warning": "orange", "info": "blue"}
STATES: Final = {"active": "Firing and pending", "resolved": "Resolved"}
LISTED: Final = {
    "started_at": ("since", "time"),
    "state": ("state", "text"),
    "severity": ("severity", "text"),
    "title": ("alert", "text"),
    "group": ("of", "text"),
    "said_value": ("value", "figure"),
    "said_threshold": ("threshold", "figure"),
    "lasted": ("lasted", "ns"),
    "acknowledged_by": ("acknowledged by", "text"),
}
HISTORY: Final = {
    "time": ("time", "time"),
    "event": ("event", "text"),
    "value": ("value", "figure"),
    "detail": ("detail", "text"),
}
LIST_HEIGHT: Final = 340  # in pixels


def alerts() -> None:
    """The Alerts page; with the URL parameter `alert` one alert."""
    frame.page("Alerts", _body, needs_runs=False)


def _body(context: Context) -> None:
    alert_id = context.params.get("alert", "")
    if alert_id:
        _one(context, alert_id)
        return
    asked, silenced = _ask(context, choices.asked(STATES, param="state", context=context)), silences.ask(context)
    access.explain(context, "acknowledging and silencing")
    silences.show(context, states.awaited(silenced, hint=""))
    state = choices.choice("State", STATES, param="state", context=context)
    found = states.awaited(asked, LIST_HEIGHT, hint="" if state == "active" else states.SHORTER)["alerts"]
    if not found:
        _nothing(context, state)
        return
    firing = sum(one["state"] == "firing" for one in found)
    st.markdown(f"**{formatting.plural(len(found), 'alert')}{f', {firing} firing' if firing else ''}**")
    tables.show(
        context,
        [shown(one) for one in found],
        LISTED,
        key="alerts",
        opens=lambda row: navigation.go(context, "alerts", alert=str(row["alert_id"])),
    )


def _ask(context: Context, state: str) -> "Future[Any]":
    if state == "active":
        return context.collector.ask("/api/v1/alerts", state=["firing", "pending"], limit=500)
    window = context.window
    between = {"from": window.start.isoformat(), "to": window.end.isoformat()}
    return context.collector.ask("/api/v1/alerts", state="resolved", limit=500, **between)


def _nothing(context: Context, state: str) -> None:
    if state == "active":
        st.success(
            "**Nothing is firing.** Every rule that could be evaluated is quiet.", icon=":material/check_circle:"
        )
    else:
        st.info("No alert that began in this time range is over.", icon=":material/search_off:")
    navigation.link(context, "rules", "Rules", ":material/rule:")


def shown(one: Mapping[str, Any]) -> dict[str, Any]:
    """An alert as a row: its group in words, its numbers in the unit of its rule, and whether it is silenced."""
    start = formatting.parse_time(one["fired_at"] or one["started_at"])
    end = formatting.parse_time(one["resolved_at"])
    said_value, said_threshold = formatting.told_apart(one["value"], one["threshold"], one["unit"])
    return {
        **one,
        "state": f"{one['state']}, silenced" if one["silenced_until"] and one["state"] != "resolved" else one["state"],
        "group": ", ".join(f"{name} {value or 'without a name'}" for name, value in one["group"].items()),
        "said_value": said_value,
        "said_threshold": said_threshold,
        "lasted": (end - start).total_seconds() * 1e9 if start and end else None,
    }


def _one(context: Context, alert_id: str) -> None:
    navigation.link(context, "alerts", "All alerts", ":material/arrow_back:")
    got = states.awaited(context.collector.ask(f"/api/v1/alerts/{alert_id}"), LIST_HEIGHT, hint="")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(plain(got["title"]), anchor=False, width="content")
        st.badge(got["state"], color=COLOURS.get(got["state"], "gray"))
        st.badge(got["severity"], color=SEVERITIES.get(got["severity"], "gray"))
    st.markdown(plain(got["summary"], 800))
    if got["description"]:
        st.markdown(plain(got["description"], 800))
    if got["labels"]:
        st.caption(plain(", ".join(f"{name} {value}" for name, value in sorted(got["labels"].items())), 400))
    row = shown(got)
    tiles.show(
        context,
        tiles.Tile("Value", row["said_value"], "When it was last evaluated."),
        tiles.Tile("Threshold", row["said_threshold"], "What it is held against."),
        tiles.Tile("Peak", formatting.of_unit(got["peak_value"], got["unit"]), "The furthest it went."),
        tiles.Tile("Since", formatting.time(got["started_at"], context.zone), "When the condition first held."),
    )
    with st.container(horizontal=True):
        navigation.link(context, "rules", f"Rule {plain(got['rule'])}", ":material/rule:", rule=got["rule"])
        if got["state"] != "resolved" and not got["acknowledged_by"]:
            _acknowledge(context, alert_id)
        if got["state"] != "resolved" and not got["silenced_until"]:
            silences.begin(context, got)
        if got["acknowledged_by"]:
            st.caption(f"Acknowledged by {plain(got['acknowledged_by'])}.")
        if got["silenced_until"]:
            st.caption(f"Silenced until {formatting.time(got['silenced_until'], context.zone)}: nobody is told.")
    if got["state"] != "resolved":
        access.explain(context, "acknowledging and silencing")
    _runs(context, got["run_ids"])
    st.markdown("**History**")
    history = [{**event, "value": formatting.of_unit(event["value"], got["unit"])} for event in got["history"]]
    tables.show(context, history, HISTORY, key="history")


def _runs(context: Context, run_ids: Sequence[str]) -> None:
    if not run_ids:
        return
    st.markdown("**Runs behind it**")
    with st.container(horizontal=True):
        for run_id in run_ids[:10]:
            navigation.link(context, "run", f"{run_id[:12]}…", ":material/timeline:", run=run_id)


def _acknowledge(context: Context, alert_id: str) -> None:
    refused = access.refusal(context)
    place = st.popover(
        "Acknowledge", icon=":material/done:", key="acknowledge-popover", disabled=bool(refused), help=refused or None
    )
    with place, st.form("acknowledge"):
        by = st.text_input("Your name", max_chars=100)
        note = st.text_input("Note", max_chars=500)
        if silences.submitted("Acknowledge", by):
            body = {"by": by.strip(), "note": note.strip()}
            change(context, "POST", f"/api/v1/alerts/{alert_id}/acknowledge", body)
