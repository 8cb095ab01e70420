"""What a page changes in the collector."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from loopwatch_dashboards import states
from loopwatch_dashboards.context import Context
from loopwatch_dashboards.errors import DashboardsError


def change(context: Context, method: str, path: str, body: Mapping[str, Any] | None = None) -> None:
    """Changes something and draws the page anew; says why not where the collector refuses.

    Args:
        context: of the page.
        method: "POST", "PUT" or "DELETE".
        path: the route.
        body: sent as JSON.
    """
    try:
        context.collector.change(method, path, body)
    except DashboardsError as fault:
        states.failed(fault)
        return
    st.rerun(scope="app")
