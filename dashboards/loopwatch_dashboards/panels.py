"""Panels: a chart or a table under a title that states a fact, and the table and the query behind it.

Every chart of every page goes through `chart_panel`: none is without the number of runs it stands on, the table
behind it, or a way to its runs.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, NamedTuple

import altair as alt
import streamlit as st

from loopwatch_dashboards import formatting, states, tables
from loopwatch_dashboards.api import Answer
from loopwatch_dashboards.charts import timeline
from loopwatch_dashboards.charts.marks import Mark, marks_of
from loopwatch_dashboards.charts.specs import spec_of
from loopwatch_dashboards.context import Context
from loopwatch_dashboards.errors import DashboardsError
from loopwatch_dashboards.text import plain

CLICK = "clicked"
NO_PRICE = "No run in this time range has a cost: its models have no price, or it called none."
Row = Mapping[str, Any]
Opens = Callable[[Row], None]
Counts = Callable[[Answer], int]


class Behind(NamedTuple):
    """The table behind a panel, for a question that is no named query: the Run page asks for spans."""

    answer: Answer

    def result(self) -> Answer:
        """The answer, as a question still under way gives it."""
        return self.answer


Asked = Future[Answer] | Behind


def click(*fields: str) -> alt.Parameter:
    """A click on a mark, reported to Python as the mark's `fields`."""
    return alt.selection_point(name=CLICK, fields=list(fields), on="click", empty=False)


def summed(answer: Answer) -> int:
    """The runs an answer stands on, where each run is in one row only: the sum of the column `runs`."""
    return int(answer.total("runs"))


def in_view(context: Context) -> Counts:
    """The runs an answer stands on, where a run may be in several rows or in none: all runs of the view."""
    asked = context.ask("runs_summary")
    return lambda _: int(asked.result().first.get("runs") or 0)


def chart_panel(
    context: Context,
    answer: Asked,
    *,
    key: str,
    title: Callable[[Answer], str],
    chart: Callable[[Answer], Any],
    runs: Counts,
    opens: Opens,
    note: str = "",
    is_empty: Callable[[Answer], bool] | None = None,
    nothing: str = "Nothing in this time range.",
    scrolls: bool = False,
    legend: Mapping[str, str] | None = None,
    state: str = "",
) -> None:
    """A chart in a frame.

    Args:
        context: for the clock of times in the table behind.
        answer: the query's answer to come.
        key: names the chart on the page.
        title: the fact, from the answer; shown as text.
        chart: the chart, from the answer; its marks carry the selection of `click`.
        runs: how many runs it stands on.
        opens: called with the fields of a clicked mark; leads to the runs behind it.
        note: how to read it.
        is_empty: whether the answer has nothing to draw; the default looks for rows.
        nothing: what is said then.
        scrolls: whether the chart is too high for the page and scrolls in its frame.
        state: what a click changes on this page; the click is forgotten when it changes, so that Back is not undone.
        legend: names of ours with their colours, written above a chart that has no room for them.
    """

    def draw(got: Answer) -> None:
        if legend:
            st.html(_legend(legend))
        with st.container(height=_SCROLLED_HEIGHT, border=False, autoscroll=False) if scrolls else st.container():
            event = _drawn(chart, got, f"{key}-{state}" if state else key, title(got))
        if clicked := _points(event):
            opens(clicked[0])

    def has_none(got: Answer) -> bool:
        return is_empty(got) if is_empty else not got.rows

    def marks(got: Answer) -> None:
        _choice_of_marks(marks_of(spec_of(lambda: chart(got)), CLICK), f"{key}-{state}", opens)

    _panel(context, answer, key, title, runs, note, has_none, nothing, draw, marks)


def drawn_panel(
    context: Context,
    answer: Asked,
    *,
    key: str,
    title: Callable[[Answer], str],
    runs: Counts,
    note: str,
    draw: Callable[[Answer], None],
) -> None:
    """A picture in a frame that is no Vega chart, and whose parts take no clicks.

    Args:
        context: for the clock of times in the table behind.
        answer: what it is drawn from.
        key: names it on the page.
        title: the fact, from the answer; shown as text.
        runs: how many runs it stands on.
        note: how to read it.
        draw: draws it.
    """
    _panel(context, answer, key, title, runs, note, lambda got: not got.rows, "", draw)


def table_panel(
    context: Context,
    answer: Asked,
    columns: Mapping[str, tuple[str, str]],
    *,
    key: str,
    title: Callable[[Answer], str],
    runs: Counts | None = None,
    opens: Opens | None = None,
    note: str = "",
    nothing: str = "Nothing in this time range.",
    rows: Callable[[Answer], Sequence[Row]] = lambda got: got.rows,
    most_rows: int = tables.AUTO_ROWS,
) -> None:
    """A table in a frame.

    Args:
        context: for the clock of times in the table.
        answer: the query's answer to come.
        columns: column -> (heading, unit), in order.
        key: names the table on the page.
        title: the fact, from the answer; shown as text.
        runs: how many runs it stands on; None where it is not about runs.
        opens: called with the row that was clicked.
        note: how to read it.
        nothing: what is said where there are no rows.
        rows: picks and orders the rows; all of them by default.
        most_rows: how many rows are in sight at most.
    """

    def draw(got: Answer) -> None:
        tables.show(context, rows(got), columns, key=key, opens=opens, most_rows=most_rows)

    _panel(context, answer, key, title, runs, note, lambda got: not rows(got), nothing, draw)


def rows_of_two(*draws: Callable[[], None]) -> None:
    """Panels in rows of two, each as high as its neighbour."""
    for start in range(0, len(draws), 2):
        for column, draw in zip(st.columns(2), draws[start : start + 2], strict=False):
            with column:
                draw()


_SCROLLED_HEIGHT = 560
_TITLE_CHARACTERS = 400
_SWATCH = '<span style="color:{colour}">■</span>&nbsp;{name}'


def _legend(colours: Mapping[str, str]) -> str:
    """A line of names; only for names and colours that are ours, never for what a trace says."""
    parts = [_SWATCH.format(colour=colour, name=name.replace("_", "&nbsp;")) for name, colour in colours.items()]
    return f'<small style="opacity:.75">{" &ensp; ".join(parts)}</small>'


def _panel(
    context: Context,
    answer: Asked,
    key: str,
    title: Callable[[Answer], str],
    runs: Counts | None,
    note: str,
    is_empty: Callable[[Answer], bool],
    nothing: str,
    draw: Callable[[Answer], None],
    marks: Callable[[Answer], None] | None = None,
) -> None:
    with st.container(border=True, key=f"panel-{key}", height="stretch"):
        try:
            got = answer.result() if isinstance(answer, Behind) else states.awaited(answer, timeline.HEIGHT)
            if is_empty(got):
                st.caption(plain(nothing))
                return
            stands_on = formatting.plural(runs(got), "run") if runs else ""
        except DashboardsError as fault:
            states.failed(fault)
            return
        with st.container(horizontal=True, vertical_alignment="top", wrap=False, gap="xsmall"):
            st.markdown(f"**{plain(title(got), _TITLE_CHARACTERS)}**", width="stretch")
            with st.container(width="content"):
                st.fragment(_behind)(context, got, key, marks)
        st.caption(" · ".join(plain(part, 800) for part in (stands_on, note) if part))
        draw(got)


def _drawn(chart: Callable[[Answer], Any], got: Answer, key: str, said: str) -> Any:
    return st.vega_lite_chart(spec=spec_of(lambda: chart(got)), key=f"chart-{key}", on_select="rerun", alt=said)


def _points(event: Any) -> Sequence[Row]:
    """The marks of a chart that were clicked, as the fields asked for by `click`."""
    selected = event.selection.get(CLICK) if event and "selection" in event else None
    return selected if isinstance(selected, list) else []


def _choice_of_marks(marks: Sequence[Mark], key: str, opens: Opens) -> None:
    """A list of what a chart's marks lead to: they cannot be reached with a keyboard, nor hit on a small screen."""
    chosen = st.selectbox(
        "Runs behind",
        range(len(marks)),
        index=None,
        format_func=lambda number: marks[number].said,
        placeholder="Choose a bar or a point",
        key=f"marks-{key}",
        width=440,
    )
    if chosen is not None:
        opens(marks[chosen].point)


def _behind(context: Context, answer: Answer, key: str, marks: Callable[[Answer], None] | None) -> None:
    """The table behind, named by its query; made when it is opened, in a part of the page of its own."""
    popover = st.popover(
        answer.query,
        type="tertiary",
        icon=":material/table_rows:",
        key=f"table-{key}",
        help="The table behind",
        on_change="rerun",
    )
    if not popover.open:
        return
    with popover:
        st.caption(
            f"query `{answer.query}`, {formatting.plural(len(answer.rows), 'row')}, "
            f"answered in {formatting.duration(answer.elapsed_ms * 1e6)}"
        )
        columns = {column.name: (column.name, column.unit) for column in answer.columns}
        tables.show(context, answer.rows, columns, key=f"behind-{key}")
        if marks:
            marks(answer)
