"""The pieces pages are built from: number tiles, charts with the table behind them, tables whose rows open runs."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, NamedTuple

import altair as alt
import pandas as pd
import streamlit as st

from loopwatch_dashboards import formatting, navigation, states
from loopwatch_dashboards.api import Answer
from loopwatch_dashboards.charts import bars, palette, timeline
from loopwatch_dashboards.context import Context
from loopwatch_dashboards.errors import DashboardsError
from loopwatch_dashboards.text import one_line, plain
from loopwatch_dashboards.view import FILTERS

CLICK = "clicked"
AUTO_ROWS = 10


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
        st.dataframe(frame(answer, context), hide_index=True)


def frame(answer: Answer, context: Context) -> pd.DataFrame:
    """An answer as a table whose values read like the rest of the page."""
    return pd.DataFrame(
        {
            f"{column.name}": [
                formatting.time(row[column.name], context.zone)
                if column.unit == "time"
                else one_line(formatting.of_unit(row[column.name], column.unit), 400)
                for row in answer.rows
            ]
            for column in answer.columns
        }
    )


class Tile(NamedTuple):
    """One number.

    Attributes:
        label: what it is.
        value: the number, formatted.
        note: how it is counted.
        delta: its change against the period before; None where there is nothing to compare with.
        good: which direction is good: "up", "down", or "neither".
        page: the page that explains it, by path; empty for none.
        params: what that page is told besides the view.
    """

    label: str
    value: str
    note: str
    delta: str | None = None
    good: str = "neither"
    page: str = ""
    params: Mapping[str, str] = MappingProxyType({})


def tiles(context: Context, *shown: Tile, in_row: int = 0) -> None:
    """Numbers in rows of equal cells."""
    in_row = in_row or len(shown)
    for start in range(0, len(shown), in_row):
        for column, one in zip(st.columns(in_row, gap="small"), shown[start : start + in_row], strict=False):
            with column:
                _tile(context, one)


def _tile(context: Context, one: Tile) -> None:
    key = f"tile-{re.sub('[^a-z0-9]+', '-', one.label.lower())}"
    same = one.delta in {"0 %", "0 pp"}
    with st.container(border=True, key=key, gap=None, height="stretch"):
        st.metric(
            one.label,
            one.value,
            one.delta,
            delta_color="off" if same else {"up": "normal", "down": "inverse"}.get(one.good, "off"),
            delta_arrow="off" if same else "auto",
            help=one.note,
        )
        if one.page:
            navigation.link(context, one.page, navigation.title(one.page), ":material/arrow_forward:", **one.params)


def table(
    context: Context,
    rows: Sequence[Mapping[str, Any]],
    columns: Mapping[str, tuple[str, str]],
    *,
    key: str,
    opens: Callable[[Mapping[str, Any]], None] | None = None,
    height: int | None = None,
    ticks: bool = False,
) -> list[Mapping[str, Any]]:
    """A table; a click on a cell opens what its row stands for.

    Args:
        context: for the clock of times.
        rows: what to show.
        columns: column -> (heading, unit), in order.
        key: names the table on the page.
        opens: called with the row that was clicked.
        height: in pixels; as high as its rows, up to ten of them, when None.
        ticks: whether rows can be ticked.

    Returns:
        The rows that are ticked.
    """
    shown = pd.DataFrame(
        {
            column: pd.Series([_cell(row.get(column), unit, context) for row in rows], dtype="object")
            for column, (_, unit) in columns.items()
        }
    )
    config = {
        column: st.column_config.TextColumn(
            heading, alignment="right" if unit in _RIGHT else "left", width=_WIDTHS.get(unit)
        )
        for column, (heading, unit) in columns.items()
    }
    modes = [mode for mode, wanted in (("multi-row", ticks), ("single-cell", opens is not None)) if wanted]
    event = st.dataframe(
        shown,
        hide_index=True,
        key=f"rows-{key}",
        column_config=config,
        height=height or "auto",
        on_select="rerun" if modes else "ignore",
        selection_mode=modes or "single-row",
    )
    if not modes:
        return []
    if opens and event.selection.get("cells"):
        opens(rows[event.selection.cells[0][0]])
    return [rows[position] for position in event.selection.get("rows", ()) if position < len(rows)]


_RIGHT = frozenset({"runs", "calls", "tokens", "count", "usd", "ns", "ratio", "bytes"})


# In pixels; what has no width of its own shares what is left.
_WIDTHS = {"sentence": 320, "id": 120, "name": 150, "time": 150}


def _cell(value: Any, unit: str, context: Context) -> str:
    if unit == "id":
        return f"{value[:12]}…" if isinstance(value, str) and len(value) > 13 else str(value or "")
    if unit == "time":
        return formatting.time(value, context.zone)
    if isinstance(value, list):
        value = ", ".join(str(one) for one in value)
    return one_line(formatting.of_unit(value, unit), 400)


def rates_chart(rows: Sequence[Mapping[str, Any]]) -> Any:
    """Error rates of tools, each bar a link to its tool."""
    return bars.rates(rows, label="tool", title="share of calls that failed", selection=click("key"))


def open_bucket(context: Context, point: Mapping[str, Any], where: str = "", **params: str) -> None:
    """Opens the runs of a clicked bucket: its time range, the filters, and what else the mark stands for."""
    start = datetime.fromtimestamp(float(point["bucket"]) / 1000, UTC)
    end = min(start + timedelta(seconds=context.window.step_seconds), context.window.end)
    view = context.view.with_range(max(start, context.window.start), end)
    open_runs(replace(context, view=view), where, **params)


def open_run(context: Context, run_id: str, **params: str) -> None:
    """Opens one run."""
    navigation.go(context, "run", run=run_id, **params)


def open_iterations(context: Context, iterations: int, dimension: str, value: str) -> None:
    """Opens the runs with a number of iterations, of one outcome, agent or version."""
    open_runs(context, f"iterations = {iterations}", **{dimension: value})


def open_tool(context: Context, tool: str) -> None:
    """Opens the runs that called a tool."""
    open_runs(context, called(tool))


def sums(rows: Sequence[Mapping[str, Any]], key: str, value: str) -> dict[str, float]:
    """The sum of a column for each key, the largest first; unknown values count as nothing."""
    summed: dict[str, float] = {}
    for row in rows:
        summed[str(row[key])] = summed.get(str(row[key]), 0) + (row[value] or 0)
    return dict(sorted(summed.items(), key=lambda item: -item[1]))


def by_size(rows: Sequence[Mapping[str, Any]], key: str, value: str) -> list[str]:
    """The keys of rows, the one with the largest sum first."""
    return list(sums(rows, key, value))


def fold(rows: Sequence[Mapping[str, Any]], key: str, value: str) -> list[dict[str, Any]]:
    """Rows per bucket with all keys beyond the palette folded into one."""
    kept = set(by_size(rows, key, value)[: len(palette.SERIES)])
    sums: dict[tuple[Any, str], float] = {}
    for row in rows:
        place = (row["bucket"], str(row[key]) if str(row[key]) in kept else palette.OTHERS)
        sums[place] = sums.get(place, 0) + (row[value] or 0)
    return [{"bucket": bucket, key: name, value: amount} for (bucket, name), amount in sums.items()]


def open_runs(context: Context, where: str = "", **params: str) -> None:
    """Opens the runs behind a mark: filters narrow the view, the rest goes to the Runs page.

    Args:
        context: the view to start from.
        where: a condition of the filter language; empty for none.
        **params: values of filters, and parameters of the Runs page.
    """
    view = context.view.with_where(where)
    for name in FILTERS:
        if params.get(name):
            view = view.with_filter(name, params[name])
    rest = {name: value for name, value in params.items() if name not in FILTERS}
    navigation.go_to("runs", context.link(view, **rest))


def choice(label: str, options: Mapping[str, str], *, param: str, context: Context) -> str:
    """A choice that lives in the URL under `param`; the first option is the default.

    Args:
        label: what is chosen.
        options: value -> name.
        param: the URL parameter.
        context: what the URL says now.

    Returns:
        The chosen value.
    """
    default = next(iter(options))
    chosen = context.params.get(param, default)
    key = f"choice-{param}"
    st.session_state[key] = chosen if chosen in options else default

    def write() -> None:
        value = st.session_state[key]
        if value == default:
            st.query_params.pop(param, None)
        else:
            st.query_params[param] = value

    st.segmented_control(
        label, list(options), key=key, format_func=lambda value: options[value], on_change=write, required=True
    )
    return str(st.session_state[key])


def stack(context: Context, rows: Sequence[Mapping[str, Any]], **options: Any) -> Any:
    """Bars over this page's window and clock; see charts.timeline.stacked for the options."""
    clock = {"window": context.window, "local": context.view.local, "zone": context.zone}
    return timeline.stacked(rows, **clock, **options)


def lines(context: Context, rows: Sequence[Mapping[str, Any]], **options: Any) -> Any:
    """Lines over this page's window and clock; see charts.timeline.lines for the options."""
    clock = {"window": context.window, "local": context.view.local, "zone": context.zone}
    return timeline.lines(rows, **clock, **options)


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
        long = height if height and len(shown) > AUTO_ROWS else None
        table(context, shown, columns, key=key, opens=opens, height=long)


def number(label: str, *, param: str, default: int, context: Context, least: int = 1) -> int:
    """A whole number that lives in the URL under `param`.

    Args:
        label: what it is.
        param: the URL parameter.
        default: without one.
        context: what the URL says now.
        least: the smallest that makes sense.

    Returns:
        The number.
    """
    said = context.params.get(param, "")
    key = f"number-{param}"
    st.session_state[key] = max(least, int(said)) if said.isdecimal() and len(said) < 9 else default

    def write() -> None:
        st.query_params[param] = str(st.session_state[key])

    return int(st.number_input(label, min_value=least, step=1, key=key, on_change=write, width=160))


def condition(field: str, value: str) -> str:
    """A condition of the filter language: the field equals a text."""
    return f"{field} = {json.dumps(value, ensure_ascii=False)}"


def called(tool: str) -> str:
    """A condition of the filter language: the run called a tool."""
    return f"called({json.dumps(tool, ensure_ascii=False)})"


def pager(context: Context, path: str, cursor: str, next_cursor: str | None) -> None:
    """Links to the first and the next page of a list."""
    kept = {name: value for name, value in context.params.items() if name != "cursor"}
    if cursor:
        navigation.link(context, path, "First page", ":material/first_page:", **kept)
    if next_cursor:
        navigation.link(context, path, "Next page", ":material/chevron_right:", **kept, cursor=next_cursor)


def downloads(context: Context, query: str) -> None:
    """Buttons that fetch a query's whole answer as a file, when they are pressed and not before."""
    for file_format, mime in (("csv", "text/csv"), ("parquet", "application/vnd.apache.parquet")):
        st.download_button(
            file_format.upper() if file_format == "csv" else "Parquet",
            data=_later(context, query, file_format),
            file_name=f"{query}.{file_format}",
            mime=mime,
            icon=":material/download:",
            type="tertiary",
            on_click="ignore",
            key=f"download-{query}-{file_format}",
        )


def _later(context: Context, query: str, file_format: str) -> Callable[[], bytes]:
    where = context.view.where or None
    return lambda: context.collector.download(query, context.window, context.view.filters, file_format, q=where)
