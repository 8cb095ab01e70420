"""Verdicts on a run: those there are, and one's own."""

from typing import Final

import streamlit as st

from loopwatch_dashboards import access, states, tables
from loopwatch_dashboards.changes import change
from loopwatch_dashboards.context import Context

COLUMNS: Final = {
    "time": ("time", "time"),
    "name": ("verdict", "text"),
    "score": ("score", "count"),
    "label": ("label", "text"),
    "comment": ("comment", "text"),
    "author": ("author", "text"),
}
NAME: Final = "user_feedback"


def show(context: Context, run_id: str) -> None:
    """Lists a run's verdicts and takes another."""
    found = states.awaited(context.collector.ask("/api/v1/verdicts", run_id=run_id), hint="")["verdicts"]
    if found:
        tables.show(context, found, COLUMNS, key="verdicts")
    else:
        st.caption("Nobody has judged this run yet.")
    with st.form("verdict", clear_on_submit=True, width=520):
        st.markdown("**Your verdict**")
        access.explain(context, "giving verdicts")
        thumb = st.feedback("thumbs")
        comment = st.text_area("Comment", max_chars=10_000, height=80)
        author = st.text_input("Your name", max_chars=200, help="A later verdict of the same author replaces this one.")
        refused = access.refusal(context)
        if st.form_submit_button("Give it", disabled=bool(refused), help=refused or None):
            _give(context, run_id, thumb, comment, author)


def _give(context: Context, run_id: str, thumb: int | None, comment: str, author: str) -> None:
    if thumb is None and not comment.strip():
        st.warning("Choose a thumb or write a comment.")
        return
    body = {"run_id": run_id, "name": NAME, "author": author.strip(), "comment": comment.strip()}
    if thumb is not None:
        body["thumb"] = "up" if thumb else "down"
    change(context, "POST", "/api/v1/verdicts", body)
