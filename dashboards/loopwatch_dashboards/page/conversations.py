"""Conversations: runs by the conversation they belong to."""

from typing import Any

import streamlit as st

from loopwatch_dashboards import columns, downloads, formatting, frame, links, panels
from loopwatch_dashboards.api import Answer
from loopwatch_dashboards.context import Context

COLUMNS = {
    "last_time": ("last run", "time"),
    "first_time": ("first run", "time"),
    "conversation_id": ("conversation", "text"),
    "customer_id": ("customer", "text"),
    "user_id": ("user", "text"),
    "agents": ("agents", "text"),
    "runs": ("runs", "runs"),
    "completed": ("completed", "runs"),
    "escalated": ("escalated", "runs"),
    "total_tokens": ("tokens", "tokens"),
    "cost_usd": ("cost", "usd"),
}
USUAL = tuple(COLUMNS)
PAGE_ROWS = 200


def conversations() -> None:
    """The Conversations page."""
    frame.page("Conversations", _body)


def _body(context: Context) -> None:
    cursor = context.params.get("cursor", "")
    answer = context.ask("conversations", limit=PAGE_ROWS, cursor=cursor or None)
    columns.choice(context, COLUMNS, USUAL, key="conversations-columns")
    panels.table_panel(
        context,
        answer,
        columns.chosen(context, COLUMNS, USUAL),
        key="conversations",
        title=lambda got: f"{'More' if cursor else 'The latest'} {formatting.plural(len(named(got)), 'conversation')}",
        runs=panels.summed,
        note="Click a row for its runs.",
        nothing="No run in this time range belongs to a conversation; agents name one with conversation=...",
        rows=named,
        opens=lambda row: links.open_runs(context, conversation=str(row["conversation_id"])),
        most_rows=18,
    )
    with st.container(horizontal=True):
        links.pager(context, "conversations", cursor, answer.result().next_cursor)
        st.space("stretch")
        downloads.buttons(context, "conversations")


def named(answer: Answer) -> list[dict[str, Any]]:
    """The rows of runs that belong to a conversation."""
    return [row for row in answer.rows if row["conversation_id"]]
