"""Runs: the list, newest first."""

from typing import Any

import streamlit as st

from loopwatch_dashboards import formatting, frame, panels
from loopwatch_dashboards.context import Context

COLUMNS = {
    "start_time": ("started", "time"),
    "agent": ("agent", "text"),
    "version": ("version", "text"),
    "outcome": ("outcome", "text"),
    "duration_ns": ("duration", "ns"),
    "iterations": ("iterations", "count"),
    "tool_calls": ("tool calls", "calls"),
    "tool_errors": ("tool errors", "calls"),
    "total_tokens": ("tokens", "tokens"),
    "cost_usd": ("cost", "usd"),
    "customer_id": ("customer", "text"),
    "run_id": ("run", "text"),
}
PAGE_RUNS = 100


def runs() -> None:
    """The Runs page."""
    frame.page("Runs", _body)


def _body(context: Context) -> None:
    asked = _asked(context.params)
    got = context.collector.runs(context.window, context.view.filters, limit=PAGE_RUNS, **asked).result()
    found = got["runs"]
    if not found:
        st.info("No run matches.", icon=":material/search_off:")
        return
    st.caption(f"The newest {formatting.plural(len(found), 'run')}. Click a row to open the run.")
    panels.table(
        context, found, COLUMNS, key="runs", opens=lambda row: panels.open_run(context, row["run_id"]), height=640
    )


def _asked(params: Any) -> dict[str, Any]:
    return {name: params[name] for name in ("outcome", "conversation", "cursor") if params.get(name)}
