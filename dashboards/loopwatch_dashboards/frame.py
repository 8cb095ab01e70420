"""What all pages share: the sidebar, the controls, live refresh, and the states in which there is nothing to draw."""

import logging
from collections.abc import Callable
from contextlib import nullcontext
from typing import Final

import streamlit as st

from loopwatch_dashboards import context as contexts
from loopwatch_dashboards import controls, navigation, states
from loopwatch_dashboards.context import Context
from loopwatch_dashboards.errors import DashboardsError
from loopwatch_dashboards.text import plain

_LOG: Final = logging.getLogger(__name__)
Body = Callable[[Context], None]
# Streamlit's theme has no options for these. What is out of date is dimmed in one step: fading it takes a second of
# frames, in which a browser without a graphics card draws the page sixty times, beside all that is to be drawn anew.
_STYLE: Final = """<style>
[data-testid="stMainBlockContainer"] { padding-left: 2rem; padding-right: 2rem; max-width: 1680px; }
[data-testid="stSidebarHeader"] { display: none; }
[data-testid="stSidebarUserContent"] { padding-top: 1rem; }
[class*="st-key-tile-"] { padding: 0.6rem 0.9rem 0.5rem; }
[data-testid="stMetricLabel"] p { font-size: 0.85rem; }
[class*="st-key-tile-"] [data-testid="stPageLink"] a { padding: 0; opacity: 0.7; min-height: 1.3rem; }
[class*="st-key-tile-"] [data-testid="stPageLink"] p { font-size: 0.78rem; }
[class*="st-key-panel-"] { gap: 0.35rem; padding: 0.7rem 0.9rem; }
[class*="st-key-table-"] button { padding: 0; min-height: 1.4rem; opacity: 0.75; }
[class*="st-key-table-"] button p { font-size: 0.75rem; white-space: nowrap; }
.st-key-late-tiles { min-height: 6rem; }
.st-key-panel-span { position: sticky; top: 4rem; }
[class*="st-key-bubble-"] { gap: 0.25rem; }
[class*="st-key-tile-"] [data-testid="stMetricLabel"] * { white-space: normal; overflow: visible; }
[data-testid="stHorizontalBlock"]:has(> [data-testid="stColumn"] [class*="st-key-tile-"]) > [data-testid="stColumn"] {
  min-width: min(10.5rem, 100%);
}
[data-testid="stHorizontalBlock"]:has(> [data-testid="stColumn"] [class*="st-key-panel-"]) > [data-testid="stColumn"] {
  min-width: min(26rem, 100%);
}
[data-tag] { height: auto !important; min-height: 1.5rem; max-width: 100% !important; }
[data-tag] > span { white-space: normal !important; overflow: visible !important; overflow-wrap: anywhere; }
[data-testid="stElementToolbar"]:focus-within { opacity: 1 !important; transition: none !important; }
[class*="st-key-keyboard-"]:not(:focus-within) {
  position: absolute !important; clip-path: inset(50%); width: 1px !important; height: 1px; overflow: hidden;
}
[data-testid="stApp"] :is(a, button, summary, input, textarea, [tabindex]):focus-visible:not(main) {
  outline: 2px solid #2F86D6 !important; outline-offset: 1px;
}
[data-testid="stElementContainer"] { transition: none !important; }
[data-testid="stElementContainer"][data-stale="true"] { transition: opacity 0s 0.6s !important; }
[data-testid="stSkeletonElement"], [data-testid="stSkeletonElement"] * { animation: none !important; }
@media (max-width: 640px) { [data-testid="stMainBlockContainer"] { padding-left: 0.8rem; padding-right: 0.8rem; } }
</style>"""


def page(title: str, body: Body, *, needs_runs: bool = True) -> None:
    """A page about a time range: title, controls, then its body where there are runs to show.

    Args:
        title: the page's heading.
        body: draws the page; called again by itself while live refresh is on.
        needs_runs: whether a range without runs leaves nothing to draw.
    """
    context = _begin()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="head"):
        st.header(title, anchor=False, width=136)
        try:
            controls.show(contexts.narrowed(context))
        except DashboardsError as fault:
            states.failed(fault)
            return
    if needs_runs:
        controls.show_where(context)
    _live(lambda now: _draw(now, body, needs_runs), context.view.live_seconds)


def single(body: Body) -> None:
    """A page about one thing, whatever the time range: with the clock and live refresh, then its body."""
    context = _begin()
    with st.container(horizontal=True, vertical_alignment="center", key="head"):
        navigation.link(context, "runs", plain(context.view.words), ":material/arrow_back:")
        st.space("stretch")
        controls.show_clock(context)
    _live(body, context.view.live_seconds)


def _guarded(context: Context, draw: Callable[[], None]) -> None:
    """Draws; whatever goes wrong becomes a state that says what it is."""
    try:
        draw()
    except DashboardsError as fault:
        states.failed(fault, context.view.where)
    except Exception:  # noqa: BLE001  # the reader gets a sentence, the operator the traceback
        _LOG.exception("a page could not be drawn")
        states.unexpected()


def _begin() -> Context:
    context = contexts.current()
    st.html(_STYLE)
    navigation.sidebar(context)
    return context


def _live(body: Body, live_seconds: int) -> None:
    """Draws the body in a part of the page that is redrawn by itself: scroll, filters and what is open stay."""
    drawn: list[dict[str, list[str]]] = []  # the address this part of the page was drawn for last, if it was

    def draw() -> None:
        context = contexts.current()
        address = {name: st.query_params.get_all(name) for name in st.query_params}
        is_refresh = drawn == [address]
        drawn[:] = [address]
        with states.unannounced() if is_refresh else nullcontext():
            _guarded(context, lambda: body(context))

    st.fragment(draw, run_every=live_seconds or None)()


def _draw(context: Context, body: Body, needs_runs: bool) -> None:
    context = contexts.narrowed(context)
    context.ask("runs_summary")
    if not needs_runs or states.awaited(context.first_run())["runs"]:
        body(context)
    else:
        _explain_nothing(context)


def _explain_nothing(context: Context) -> None:
    if not context.has_runs_at_all():
        states.empty_store(context.collector.endpoint)
        return
    states.empty_window(context.view.range_label, bool(context.view.filters or context.view.where))
    if st.button("Show all time, without filters", icon=":material/history:"):
        controls.write_url(contexts.unfiltered(context.view))
        st.rerun(scope="app")
