"""One tool by itself: its calls over time, how they fail, and which took unusually long."""

from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any

import streamlit as st

from loopwatch_dashboards import formatting, links, navigation, panels, tiles
from loopwatch_dashboards.api import Answer
from loopwatch_dashboards.charts import palette, timeline
from loopwatch_dashboards.context import Context
from loopwatch_dashboards.text import plain

Rows = list[Mapping[str, Any]]
ERRORS = {
    "pattern": ("error", "text"),
    "error_type": ("type", "text"),
    "calls": ("calls", "calls"),
    "last_seen": ("last seen", "time"),
}
MAX_OUTLIERS, MAX_OUTLIERS_SEARCHED = 200, 5_000
OUTLIERS = {
    "time": ("time", "time"),
    "duration_ns": ("duration", "ns"),
    "median_duration_ns": ("usual", "ns"),
    "times_median": ("× usual", "times"),
}


def one_tool(context: Context, tool: str, summary: Answer) -> None:
    """Draws the page of one tool.

    Args:
        context: the view.
        tool: its name.
        summary: the answer of tool_summary.
    """
    over_time, patterns = context.ask_over_time("tools_over_time"), context.ask("tool_errors")
    outliers = ask_outliers(context, MAX_OUTLIERS_SEARCHED)
    navigation.link(context, "tools", "All tools", ":material/arrow_back:")
    st.subheader(plain(tool), anchor=False)
    row = next((one for one in summary.rows if one["tool"] == tool), None)
    if row is None:
        st.info("This tool was not called in this time range.", icon=":material/search_off:")
        return
    interval = (
        f"95 % interval: {formatting.ratio(row['error_rate_low'])} to {formatting.ratio(row['error_rate_high'])}."
    )
    tiles.show(
        context,
        tiles.Tile("Calls", formatting.count(row["calls"]), f"In {formatting.plural(row['runs'], 'run')}."),
        tiles.Tile(
            "Errors", formatting.count(row["errors"]), f"{formatting.count(row['retryable_errors'])} of them retryable."
        ),
        tiles.Tile("Error rate", formatting.ratio(row["error_rate"]), interval),
        tiles.Tile("Not found", formatting.count(row["not_found"]), "Calls that answered that there is nothing."),
        tiles.Tile("p50", formatting.duration(row["p50_duration_ns"]), "Half of the calls took less."),
        tiles.Tile("p95", formatting.duration(row["p95_duration_ns"]), "95 of 100 calls took less."),
    )
    panels.chart_panel(
        context,
        over_time,
        key="one-tool",
        title=lambda got: f"{formatting.count(row['errors'])} of {formatting.plural(row['calls'], 'call')} failed",
        runs=lambda _: row["runs"],
        note="Calls by outcome. Click a bar for its runs.",
        chart=lambda got: timeline.stacked(
            _outcomes([one for one in got.rows if one["tool"] == tool]),
            key="outcome",
            value="calls",
            unit="calls",
            title="calls",
            colours={"failed": palette.VERMILION, "did not fail": "#B4BDC7"},
            window=context.window,
            zone=context.zone,
            selection=panels.click("bucket", "key"),
        ),
        opens=lambda point: links.open_bucket(
            context, point, links.failed(tool) if point["key"] == "failed" else links.called(tool)
        ),
    )
    error_patterns(context, patterns, tool)
    outliers_panel(context, outliers, tool)
    if st.button("Runs that called this tool", icon=":material/list_alt:"):
        links.open_tool(context, tool)


def _outcomes(rows: Rows) -> list[dict[str, Any]]:
    return [
        {"bucket": row["bucket"], "outcome": name, "calls": calls}
        for row in rows
        for name, calls in (("failed", row["errors"]), ("did not fail", row["calls"] - row["errors"]))
        if calls
    ]


def failed_calls(answer: Answer) -> str:
    """How many tool calls failed, of how many."""
    calls, errors = answer.total("calls"), answer.total("errors")
    share = formatting.ratio(errors / calls) if calls else formatting.NOTHING
    return f"{formatting.count(errors)} of {formatting.plural(calls, 'tool call')} failed ({share})"


def error_patterns(context: Context, answer: Any, tool: str = "") -> None:
    """How calls fail, by the shape of the message; of one tool, or of all."""

    def rows(got: Answer) -> Rows:
        return [row for row in got.rows if not tool or row["tool"] == tool]

    panels.table_panel(
        context,
        answer,
        ERRORS if tool else {"tool": ("tool", "text"), **ERRORS},
        key="tool-errors",
        title=lambda got: _pattern_fact(rows(got), tool),
        runs=panels.in_view(context),
        note="Numbers, ids and quoted values in messages are taken out. Click a row for an example run.",
        nothing="No tool call failed in this time range.",
        rows=rows,
        opens=lambda row: links.open_run(context, row["example_run_id"], span=row["example_span_id"]),
    )


def _pattern_fact(rows: Rows, tool: str) -> str:
    """The most frequent pattern, and how many there are."""
    first = max(rows, key=lambda row: row["calls"])
    of = "" if tool else f"{first['tool']}: "
    return f"{of}{first['pattern'] or first['error_type']} leads {formatting.plural(len(rows), 'error pattern')}"


def ask_outliers(context: Context, limit: int = MAX_OUTLIERS) -> "Future[Answer]":
    """Asks which calls of tools took over five times the usual; those of one tool are then picked from them."""
    return context.ask("latency_outliers", dimension="tool", limit=limit)


def outliers_panel(context: Context, answer: Any, tool: str = "") -> None:
    """Calls that took over five times the usual; of one tool, or of all."""

    def rows(got: Answer) -> Rows:
        return [row for row in got.rows if not tool or row["key"] == tool]

    panels.table_panel(
        context,
        answer,
        OUTLIERS if tool else {"key": ("tool", "text"), **OUTLIERS},
        key="tool-outliers",
        title=lambda got: (
            f"{'At least ' if got.next_cursor else ''}{formatting.plural(len(rows(got)), 'call')} "
            "took over five times the usual"
        ),
        runs=panels.in_view(context),
        note="Usual: the tool's median. Click a row to see the call.",
        nothing="No call took over five times its tool's median.",
        rows=rows,
        opens=lambda row: links.open_run(context, row["run_id"], span=row["span_id"]),
    )
