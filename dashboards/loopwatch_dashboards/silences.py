"""Silences: nobody is told for a while of an alert, or of all alerts of a rule."""

from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any, Final

import streamlit as st

from loopwatch_dashboards import access, formatting
from loopwatch_dashboards.changes import change
from loopwatch_dashboards.context import Context
from loopwatch_dashboards.text import plain

_LENGTHS: Final = {3_600: "1 hour", 14_400: "4 hours", 86_400: "1 day", 604_800: "1 week"}


def begin(context: Context, alert: Mapping[str, Any]) -> None:
    """A form that silences an alert's group, or its whole rule."""
    refused = access.refusal(context)
    icon = ":material/notifications_off:"
    place = st.popover("Silence", icon=icon, key="silence-popover", disabled=bool(refused), help=refused or None)
    with place, st.form("silence"):
        length = st.selectbox("For", list(_LENGTHS), format_func=_LENGTHS.__getitem__, filter_mode=None)
        whole = st.checkbox("All alerts of this rule") if alert["group"] else True
        by = st.text_input("Your name", max_chars=100)
        reason = st.text_input("Reason", max_chars=500)
        if submitted("Silence", by):
            group = {} if whole else dict(alert["group"])
            body = {"rule": alert["rule"], "group": group, "for_s": length, "by": by.strip(), "reason": reason.strip()}
            change(context, "POST", "/api/v1/silences", body)


def submitted(label: str, by: str) -> bool:
    """A form's button; whether it was pressed, and the form says who did it.

    Args:
        label: of the button.
        by: the name that was given.
    """
    pressed = st.form_submit_button(label)
    if pressed and not by.strip():
        st.error("Say your name: others see who did this.")
    return pressed and bool(by.strip())


def ask(context: Context) -> "Future[Any]":
    """Asks for the silences that are on."""
    return context.collector.ask("/api/v1/silences")


def show(context: Context, answer: Mapping[str, Any]) -> None:
    """Lists the silences that are on, each with a button that ends it."""
    found = answer["silences"]
    if not found:
        return
    refused = access.refusal(context)
    st.markdown(f"**{formatting.plural(len(found), 'silence')}**")
    for one in found:
        group = ", ".join(f"{name} {value or 'without a name'}" for name, value in one["group"].items())
        until = formatting.time(one["until"], context.zone)
        parts = [one["rule"] or "every rule", group, f"until {until}", f"by {one['by']}", one["reason"]]
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(plain(" · ".join(part for part in parts if part), 600), width="content")
            said = refused or "What still fires is told."
            if st.button("End", key=f"end-{one['silence_id']}", help=said, disabled=bool(refused)):
                change(context, "DELETE", f"/api/v1/silences/{one['silence_id']}")
