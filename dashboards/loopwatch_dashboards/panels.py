"""The pieces pages are built from: number tiles, charts with the table behind them, tables whose rows open runs."""

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from loopwatch_dashboards import formatting, navigation, states
from loopwatch_dashboards.api import Answer
from loopwatch_dashboards.charts import bars, palette
from loopwatch_dashboards.context import Context
from loopwatch_dashboards.errors import DashboardsError
from loopwatch_dashboards.text import one_line, plain
from loopwatch_dashboards.view import FILTERS

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
        if on_click and (points := _points(event)):
            on_click(points[0])


def _points(event: Any) -> Sequence[Mapping[str, Any]]:
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


def tile(
    label: str,
    value: str,
    *,
    delta: str | None = None,
    good: str = "up",
    note: str | None = None,
) -> None:
    """One number.

    Args:
        label: what it is.
        value: the number, formatted.
        delta: its change against the period before; None where there is nothing to compare with.
        good: which direction is good: "up", "down", or "neither".
        note: how it is counted.
    """
    st.metric(
        label,
        value,
        delta,
        delta_color={"up": "normal", "down": "inverse"}.get(good, "off"),
        delta_arrow="off" if delta in {"0 %", "0 pp"} else "auto",
        help=note,
        border=True,
    )


def table(
    context: Context,
    rows: Sequence[Mapping[str, Any]],
    columns: Mapping[str, tuple[str, str]],
    *,
    key: str,
    opens: Callable[[Mapping[str, Any]], None] | None = None,
    height: int | None = None,
) -> None:
    """A table; a click on a cell opens what its row stands for.

    Args:
        context: for the clock of times.
        rows: what to show.
        columns: column -> (heading, unit), in order.
        key: names the table on the page.
        opens: called with the row that was clicked.
        height: in pixels; as high as its rows up to ten when None.
    """
    shown = pd.DataFrame(
        {
            heading: [_cell(row.get(column), unit, context) for row in rows]
            for column, (heading, unit) in columns.items()
        }
    )
    config = {
        heading: st.column_config.Column(
            heading, alignment="right" if unit in _RIGHT else "left", width=_WIDTHS.get(unit)
        )
        for heading, unit in columns.values()
    }
    event = st.dataframe(
        shown,
        hide_index=True,
        key=f"rows-{key}",
        column_config=config,
        height=height or min(35 * (len(rows) + 1) + 3, 388),
        on_select="rerun" if opens else "ignore",
        selection_mode="single-cell" if opens else "multi-row",
    )
    if opens and event.selection.cells:
        opens(rows[event.selection.cells[0][0]])


_RIGHT = frozenset({"runs", "calls", "tokens", "count", "usd", "ns", "ratio", "bytes"})


# In pixels; what has no width of its own shares what is left.
_WIDTHS = {"sentence": 320, "id": 120, "name": 150, "time": 150}


def _cell(value: Any, unit: str, context: Context) -> str:
    if unit == "time":
        return formatting.time(value, context.zone)
    if isinstance(value, list):
        value = ", ".join(str(one) for one in value)
    return one_line(formatting.of_unit(value, unit), 400)


def rates_chart(rows: Sequence[Mapping[str, Any]]) -> Any:
    """Error rates of tools, each bar a link to its tool."""
    return bars.rates(rows, label="tool", title="share of calls that failed", selection=click("key"))


def open_bucket(context: Context, point: Mapping[str, Any], **params: str) -> None:
    """Opens the runs of a clicked bucket: its time range, the filters, and what else the mark stands for."""
    start = datetime.fromtimestamp(float(point["bucket"]) / 1000, UTC)
    end = min(start + timedelta(seconds=context.window.step_seconds), context.window.end)
    view = context.view.with_range(max(start, context.window.start), end)
    for name in FILTERS:
        if name in params:
            view = view.with_filter(name, params.pop(name))
    navigation.go_to("runs", context.link(view, **params))


def open_run(context: Context, run_id: str, **params: str) -> None:
    """Opens one run."""
    navigation.go(context, "run", run=run_id, **params)


def open_iterations(context: Context, iterations: int, dimension: str, value: str) -> None:
    """Opens the runs with a number of iterations, of one outcome, agent or version."""
    view = context.view.with_filter(dimension, value) if dimension in FILTERS else context.view
    outcome = value if dimension == "outcome" else ""
    navigation.go_to("runs", context.link(view, outcome=outcome, q=f"iterations = {iterations}"))


def open_tool(context: Context, tool: str) -> None:
    """Opens the runs that called a tool."""
    navigation.go(context, "runs", q=f"tool = {json.dumps(tool, ensure_ascii=False)}")


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


def open_runs(context: Context, **params: str) -> None:
    """Opens the runs behind a mark: filters narrow the view, the rest goes to the Runs page."""
    view = context.view
    for name in FILTERS:
        if name in params:
            view = view.with_filter(name, params.pop(name))
    navigation.go_to("runs", context.link(view, **params))


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
