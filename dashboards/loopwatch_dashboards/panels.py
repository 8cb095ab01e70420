"""Frames with a fact as their title: a chart or a table, and the table and the query behind it."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

import altair as alt
import streamlit as st

from loopwatch_dashboards import formatting, states, tables
from loopwatch_dashboards.api import Answer
from loopwatch_dashboards.charts import bars, timeline
from loopwatch_dashboards.context import Context
from loopwatch_dashboards.errors import DashboardsError
from loopwatch_dashboards.text import plain

CLICK = "clicked"


def click(*fields: str) -> alt.Parameter:
    """A click on a mark, reported to Python as the mark's `fields`."""
    return alt.selection_point(name=CLICK, fields=list(fields), on="click", empty=False)


def chart_panel(
    context: Context,
    answer: "Future[Answer]",
    *,
    key: str,
    title: Callable[[Answer], str],
    chart: Callable[[Answer], Any],
    note: Callable[[Answer], str] | str = "",
    on_click: Callable[[Mapping[str, Any]], None] | None = None,
    is_empty: Callable[[Answer], bool] | None = None,
    nothing: str = "Nothing in this time range.",
) -> None:
    """A chart in a frame: a title that states a fact, what it stands on, and the table behind it.

    Args:
        context: for the clock of times in the table.
        answer: the query's answer to come.
        key: names the chart on the page.
        title: the fact, from the answer; shown as text.
        chart: the chart, from the answer.
        note: what the numbers stand on, or how to read them.
        on_click: called with the fields of a clicked mark.
        is_empty: whether the answer has nothing to draw; the default looks for rows.
        nothing: what is said then.
    """
    with st.container(border=True, key=f"panel-{key}"):
        try:
            with st.skeleton(height=timeline.HEIGHT):
                got = answer.result()
        except DashboardsError as fault:
            states.failed(fault)
            return
        if is_empty(got) if is_empty else not got.rows:
            st.caption(plain(nothing))
            return
        _head(context, got, title(got), key)
        said = note(got) if callable(note) else note
        if said:
            st.caption(plain(said, 400))
        event = st.altair_chart(chart(got), key=f"chart-{key}", on_select="rerun" if on_click else "ignore")
        if on_click and (clicked := points(event)):
            on_click(clicked[0])


def table_panel(
    context: Context,
    answer: "Future[Answer]",
    columns: Mapping[str, tuple[str, str]],
    *,
    key: str,
    title: Callable[[Answer], str] | str,
    note: str = "",
    nothing: str = "Nothing in this time range.",
    opens: Callable[[Mapping[str, Any]], None] | None = None,
    rows: Callable[[Answer], Sequence[Mapping[str, Any]]] | None = None,
    height: int | None = None,
) -> None:
    """A table in a frame.

    Args:
        context: for the clock of times in the table.
        answer: the query's answer to come.
        columns: column -> (heading, unit), in order.
        key: names the table on the page.
        title: the fact, from the answer; shown as text.
        note: how to read it.
        nothing: what is said where there are no rows.
        opens: called with the row that was clicked.
        rows: picks and orders the rows; all of them by default.
        height: in pixels; as high as its rows, up to ten of them, when None.
    """
    with st.container(border=True, key=f"panel-{key}"):
        try:
            with st.skeleton(height=timeline.HEIGHT):
                got = answer.result()
        except DashboardsError as fault:
            states.failed(fault)
            return
        shown = rows(got) if rows else got.rows
        if not shown:
            st.caption(plain(nothing))
            return
        _head(context, got, title(got) if callable(title) else title, key)
        if note:
            st.caption(plain(note, 400))
        long = height if height and len(shown) > tables.AUTO_ROWS else None
        tables.show(context, shown, columns, key=key, opens=opens, height=long)


def points(event: Any) -> Sequence[Mapping[str, Any]]:
    """The marks of a chart that were clicked, as the fields asked for by `click`."""
    selected = event.selection.get(CLICK) if event and "selection" in event else None
    return selected if isinstance(selected, list) else []


def _head(context: Context, answer: Answer, title: str, key: str) -> None:
    with st.container(horizontal=True, vertical_alignment="top", wrap=False, gap="xsmall"):
        st.markdown(f"**{plain(title, 90)}**", width="stretch")
        behind(context, answer, key)


def behind(context: Context, answer: Answer, key: str) -> None:
    """The table behind a chart, named by its query."""
    with st.popover(
        answer.query, type="tertiary", icon=":material/table_rows:", key=f"table-{key}", help="The table behind"
    ):
        st.caption(
            f"query `{answer.query}`, {formatting.plural(len(answer.rows), 'row')}, "
            f"answered in {formatting.duration(answer.elapsed_ms * 1e6)}"
        )
        st.dataframe(tables.of_answer(answer, context), hide_index=True)


def stack(context: Context, rows: Sequence[Mapping[str, Any]], **options: Any) -> Any:
    """Bars over this page's window and clock; see charts.timeline.stacked for the options."""
    clock = {"window": context.window, "local": context.view.local, "zone": context.zone}
    return timeline.stacked(rows, **clock, **options)


def lines(context: Context, rows: Sequence[Mapping[str, Any]], **options: Any) -> Any:
    """Lines over this page's window and clock; see charts.timeline.lines for the options."""
    clock = {"window": context.window, "local": context.view.local, "zone": context.zone}
    return timeline.lines(rows, **clock, **options)


def rates_chart(rows: Sequence[Mapping[str, Any]]) -> Any:
    """Error rates of tools, each bar a link to its tool."""
    return bars.rates(rows, label="tool", title="share of calls that failed", selection=click("key"))
