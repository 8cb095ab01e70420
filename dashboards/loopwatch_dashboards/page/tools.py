"""Tools: which fail, how, how slow they are, and the runs where it happened."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from loopwatch_dashboards import formatting, frame, panels
from loopwatch_dashboards.charts import bars, palette, timeline
from loopwatch_dashboards.context import Context
from loopwatch_dashboards.page.overview import tool_fact

SUMMARY = {
    "tool": ("tool", "text"),
    "calls": ("calls", "calls"),
    "errors": ("errors", "calls"),
    "error_rate": ("error rate", "ratio"),
    "not_found": ("not found", "calls"),
    "retryable_errors": ("retryable", "calls"),
    "p50_duration_ns": ("p50", "ns"),
    "p95_duration_ns": ("p95", "ns"),
    "runs": ("runs", "runs"),
}
ERRORS = {
    "tool": ("tool", "text"),
    "pattern": ("error", "sentence"),
    "error_type": ("type", "name"),
    "calls": ("calls", "calls"),
    "last_seen": ("last seen", "time"),
}


def tools() -> None:
    """The Tools page."""
    frame.page("Tools", _body)


def _body(context: Context) -> None:
    summary, patterns = context.ask("tool_summary"), context.ask("tool_errors")
    over_time = context.ask_over_time("tools_over_time")
    _tiles(summary.result())
    left, right = st.columns(2)
    with left:
        _rates(context, summary)
    with right:
        _latency(context, summary)
    _errors(context, patterns)
    _over_time(context, over_time)
    _table(context, summary)


def _tiles(got: Any) -> None:
    calls, errors = got.total("calls"), got.total("errors")
    figures = (
        ("Tool calls", formatting.count(calls), "Every execution of a tool."),
        ("Errors", formatting.count(errors), "Calls that could not tell: exceptions, timeouts, refusals."),
        ("Error rate", formatting.ratio(errors / calls if calls else None), "Errors out of all calls."),
        (
            "Not found",
            formatting.count(got.total("not_found")),
            "Calls that answered that there is nothing; not an error.",
        ),
        ("Tools called", formatting.count(len(got.rows)), "Different tools that were called."),
    )
    for column, (label, value, note) in zip(st.columns(len(figures)), figures, strict=True):
        with column:
            panels.tile(label, value, note=note)


def _rates(context: Context, answer: Any) -> None:
    panels.chart_panel(
        context,
        answer,
        key="tool-rates",
        title=tool_fact,
        note="Bars: share of calls that failed; lines: 95 % interval (Wilson).",
        chart=lambda got: panels.rates_chart(
            sorted(got.rows, key=lambda row: (-(row["error_rate"] or 0), -row["calls"]))[:20]
        ),
        on_click=lambda point: panels.open_tool(context, str(point["key"])),
        nothing="No tool was called in this time range.",
    )


def _latency(context: Context, answer: Any) -> None:
    def slowest(got: Any) -> list[Mapping[str, Any]]:
        return sorted(got.rows, key=lambda row: -(row["p95_duration_ns"] or 0))[:20]

    panels.chart_panel(
        context,
        answer,
        key="tool-latency",
        title=lambda got: _latency_fact(slowest(got)),
        note="p95 of the duration of each tool's calls.",
        chart=lambda got: bars.ranked(
            slowest(got),
            label="tool",
            value="p95_duration_ns",
            unit="ns",
            title="p95 duration",
            details={"p50_duration_ns": ("p50", "ns"), "calls": ("calls", "calls")},
            selection=panels.click("key"),
        ),
        on_click=lambda point: panels.open_tool(context, str(point["key"])),
        nothing="No tool was called in this time range.",
    )


def _latency_fact(rows: list[Mapping[str, Any]]) -> str:
    if not rows:
        return "Tool latency"
    return f"{rows[0]['tool']} is slowest: 95 of 100 calls within {formatting.duration(rows[0]['p95_duration_ns'])}"


def _errors(context: Context, answer: Any) -> None:
    with st.container(border=True):
        got = answer.result()
        st.markdown(f"**{formatting.plural(len(got.rows), 'error pattern')}**")
        if not got.rows:
            st.caption("No tool call failed in this time range.")
            return
        st.caption("Numbers and ids in messages are left out. Click a row for an example run.")
        panels.table(
            context,
            got.rows,
            ERRORS,
            key="tool-errors",
            opens=lambda row: panels.open_run(context, row["example_run_id"], span=row["example_span_id"]),
        )


def _over_time(context: Context, answer: Any) -> None:
    panels.chart_panel(
        context,
        answer,
        key="tools-over-time",
        title=lambda got: f"{formatting.plural(got.total('calls'), 'tool call')} over time",
        note="Calls by tool; the eight most called have a colour of their own.",
        chart=lambda got: timeline.stacked(
            (folded := panels.fold(got.rows, "tool", "calls")),
            key="tool",
            value="calls",
            unit="calls",
            title="tool calls",
            colours=palette.series(panels.by_size(folded, "tool", "calls")),
            window=context.window,
            local=context.view.local,
            zone=context.zone,
            selection=panels.click("bucket"),
        ),
        on_click=lambda point: panels.open_bucket(context, point),
    )


def _table(context: Context, answer: Any) -> None:
    with st.container(border=True):
        got = answer.result()
        st.markdown("**All tools**")
        rows = sorted(got.rows, key=lambda row: -row["calls"])
        panels.table(context, rows, SUMMARY, key="tools", opens=lambda row: panels.open_tool(context, str(row["tool"])))
