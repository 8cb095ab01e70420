"""The pages there are, and the ways between them that keep time range and filters."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import streamlit as st

from loopwatch_dashboards.context import Context


class Entry(NamedTuple):
    """One page: its path in the URL, its name and its icon."""

    path: str
    title: str
    icon: str
    is_listed: bool = True


ENTRIES: Final = (
    Entry("overview", "Overview", ":material/monitoring:"),
    Entry("iterations", "Iterations", ":material/autorenew:"),
    Entry("tools", "Tools", ":material/build:"),
    Entry("cost", "Cost", ":material/payments:"),
    Entry("escalations", "Escalations", ":material/support_agent:"),
    Entry("quality", "Quality", ":material/verified:"),
    Entry("runs", "Runs", ":material/list_alt:"),
    Entry("conversations", "Conversations", ":material/forum:"),
    Entry("alerts", "Alerts", ":material/notifications:"),
    Entry("rules", "Rules", ":material/rule:"),
    Entry("system", "System", ":material/dns:"),
    Entry("run", "Run", ":material/timeline:", is_listed=False),
    Entry("compare", "Compare", ":material/compare:", is_listed=False),
)


def pages() -> dict[str, Any]:
    """Streamlit's page objects by path."""
    return {entry.path: _page(entry.path) for entry in ENTRIES}


def title(path: str) -> str:
    """A page's name."""
    return next(entry.title for entry in ENTRIES if entry.path == path)


def go(context: Context, path: str, **params: str) -> None:
    """Leaves for another page, keeping the view."""
    st.switch_page(_page(path), query_params=context.link(**params))


def go_to(path: str, query: Mapping[str, str | list[str]]) -> None:
    """Leaves for another page with URL parameters of its own."""
    st.switch_page(_page(path), query_params=query)


def link(context: Context, path: str, label: str, icon: str | None = None, **params: str) -> None:
    """A link to another page that keeps the view."""
    st.page_link(_page(path), label=label, icon=icon, query_params=context.link(**params))


def _page(path: str) -> Any:
    # The pages import this module for their links.
    from loopwatch_dashboards import page as modules

    entry = next(one for one in ENTRIES if one.path == path)
    return st.Page(
        getattr(modules, path), title=entry.title, icon=entry.icon, url_path=path, default=path == "overview"
    )


def sidebar(context: Context) -> None:
    """The list of pages; every link keeps time range and filters."""
    with st.sidebar:
        st.markdown("### :material/all_inclusive: Loopwatch")
        for entry in ENTRIES:
            if entry.is_listed:
                link(context, entry.path, entry.title, entry.icon)
