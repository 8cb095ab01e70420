"""A rule as its page changes it: turned on and off, edited, tried before it is saved, removed; and a new one."""

from collections.abc import Mapping
from typing import Any, Final

import streamlit as st

from loopwatch_dashboards import access, navigation, states
from loopwatch_dashboards.changes import change
from loopwatch_dashboards.context import Context
from loopwatch_dashboards.errors import DashboardsError
from loopwatch_dashboards.text import plain

_NEW: Final = """\
[[rule]]
name = "dear-customer"
title = "A customer is expensive"
query = "spend_by"
group_by = "customer"
value = "cost_usd"
window = "1h"
severity = "warning"
condition = { kind = "threshold", above = 50 }
"""
_HEIGHT: Final = 380
_MAX_CHARS: Final = 100_000


def draft(rule: Mapping[str, Any]) -> str:
    """The text of a rule that is being tried and not saved; empty when there is none."""
    return str(st.session_state.get(_draft_key(rule), ""))


def switch(context: Context, rule: Mapping[str, Any]) -> None:
    """Turns a rule on and off."""
    refused = access.refusal(context)
    key = f"on-{rule['name']}-{rule['enabled']}"
    wanted = st.toggle("On", value=rule["enabled"], key=key, disabled=bool(refused), help=refused or None)
    if wanted != rule["enabled"]:
        change(context, "PUT", f"/api/v1/rules/{rule['name']}/enabled", {"enabled": wanted})


def edit(context: Context, rule: Mapping[str, Any]) -> None:
    """The rule's text, to be changed, tried and saved."""
    refused = access.refusal(context)
    with st.expander("The rule as TOML", expanded=True), st.form("rule", border=False):
        text = st.text_area("Rule", draft(rule) or rule["toml"], height=_HEIGHT, max_chars=_MAX_CHARS)
        with st.container(horizontal=True):
            tries = st.form_submit_button(
                "Test", icon=":material/science:", help="Draws the graph above with this text."
            )
            saves = _save_button(refused)
            removes = rule["source"] == "stored" and st.form_submit_button(
                "Remove",
                icon=":material/delete:",
                help=refused or "A delivered rule or one of the rules file comes back as it was.",
                disabled=bool(refused),
            )
    if tries:
        st.session_state[_draft_key(rule)] = text
        st.rerun(scope="app")
    elif saves:
        _save(context, text)
    elif removes:
        st.session_state.pop(_draft_key(rule), None)
        change(context, "DELETE", f"/api/v1/rules/{rule['name']}")


def new(context: Context) -> None:
    """A form for another rule."""
    with st.expander("New rule", icon=":material/add:"), st.form("new-rule", border=False):
        text = st.text_area("Rule", _NEW, height=_HEIGHT, max_chars=_MAX_CHARS)
        if _save_button(access.refusal(context)):
            _save(context, text)


def _save_button(refused: str) -> bool:
    return st.form_submit_button(
        "Save", icon=":material/save:", type="primary", disabled=bool(refused), help=refused or None
    )


def _save(context: Context, text: str) -> None:
    """Stores a rule under the name its text gives it, or says what is wrong with it, line by line."""
    try:
        checked = context.collector.change("POST", "/api/v1/rules/check", {"toml": text})
        for fault in checked["faults"]:
            where = f"line {fault['line']}: " if fault["line"] else ""
            st.error(plain(f"{where}{fault['message']}", 600), icon=":material/error:")
        if checked["faults"]:
            return
        name = checked["rules"][0] if checked["rules"] else "unnamed"
        context.collector.change("PUT", f"/api/v1/rules/{name}", {"toml": text})
    except DashboardsError as fault:
        states.failed(fault)
        return
    st.session_state.pop(_draft_key({"name": name}), None)
    navigation.go(context, "rules", rule=name)


def _draft_key(rule: Mapping[str, Any]) -> str:
    return f"draft-{rule['name']}"
