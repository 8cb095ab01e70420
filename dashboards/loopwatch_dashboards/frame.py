"""What all pages share: the sidebar, the controls, and the states in which there is nothing to draw."""

from collections.abc import Callable

import streamlit as st

from loopwatch_dashboards import context as contexts
from loopwatch_dashboards import controls, navigation, states
from loopwatch_dashboards.context import Context
from loopwatch_dashboards.errors import DashboardsError
from loopwatch_dashboards.view import BEGINNING, Window

_STYLE = """<style>
[data-testid="stMainBlockContainer"] { padding-left: 2rem; padding-right: 2rem; max-width: 1680px; }
[data-testid="stSidebarHeader"] { display: none; }
[data-testid="stSidebarUserContent"] { padding-top: 1rem; }
[class*="st-key-table-"] button p { color: gray; font-size: 0.8rem; }
[data-testid="stMetric"] { padding: 0.6rem 0.9rem; }
</style>"""

Body = Callable[[Context], None]


def page(title: str, body: Body) -> None:
    """A page about a time range: title, controls, then its body where there are runs to show."""
    context = contexts.current()
    st.html(_STYLE)
    navigation.sidebar(context)
    st.header(title, anchor=False)
    try:
        context = contexts.narrowed(context)
        controls.show(context)
        runs = context.ask("runs_summary").result().first.get("runs", 0)
        if runs:
            body(context)
        else:
            _explain_nothing(context)
    except DashboardsError as fault:
        states.failed(fault)


def single(body: Body) -> None:
    """A page about one thing, whatever the time range."""
    context = contexts.current()
    st.html(_STYLE)
    navigation.sidebar(context)
    try:
        body(context)
    except DashboardsError as fault:
        states.failed(fault)


def _explain_nothing(context: Context) -> None:
    everything = Window(BEGINNING, context.view.with_preset("all").window(controls.now()).end)
    newest = context.collector.runs(everything, {}, limit=1).result()["runs"]
    if not newest:
        states.empty_store(context.collector.endpoint)
        return
    states.empty_window(context.view.range_label, bool(context.view.filters))
    st.button(
        "Show all time, no filters",
        on_click=lambda: controls.write_url(contexts.unfiltered(context.view)),
        icon=":material/history:",
    )
