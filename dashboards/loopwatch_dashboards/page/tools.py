"""Tools: which fail, how, how slow they are, what is offered in vain, and one tool by itself."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from loopwatch_dashboards import formatting, frame, navigation, panels
from loopwatch_dashboards.api import Answer
from loopwatch_dashboards.charts import bars, palette
from loopwatch_dashboards.context import Context
from loopwatch_dashboards.text import plain

Rows = list[Mapping[str, Any]]
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
OUTLIERS = {
    "key": ("tool", "text"),
    "time": ("time", "time"),
    "duration_ns": ("duration", "ns"),
    "median_duration_ns": ("usual", "ns"),
    "factor": ("times the usual", "text"),
}
RETRIES = {
    "tool": ("tool", "text"),
    "failed": ("failed", "calls"),
    "retried": ("retried", "calls"),
    "recovered": ("recovered", "calls"),
    "recovery_rate": ("recovered", "ratio"),
    "retry_duration_ns": ("time spent", "ns"),
}
OFFERED = {
    "tool": ("tool", "text"),
    "state": ("", "text"),
    "offered_runs": ("offered in", "runs"),
    "called_runs": ("called in", "runs"),
    "invented_calls": ("calls without offer", "calls"),
}
SCHEMAS = {
    "agent": ("agent", "text"),
    "schema_tokens": ("schema tokens", "tokens"),
    "unused_schema_tokens": ("of tools never called", "tokens"),
    "unused_share": ("share", "ratio"),
    "recorded_runs": ("runs", "runs"),
}
NO_TOOL = "No tool was called in this time range."


def tools() -> None:
    """The Tools page; with the URL parameter `tool` the page of that tool."""
    frame.page("Tools", _body)


def _body(context: Context) -> None:
    tool = context.params.get("tool", "")
    summary, patterns = context.ask("tool_summary"), context.ask("tool_errors")
    over_time = context.ask_over_time("tools_over_time")
    latency, outliers = context.ask("latency", dimension="tool"), context.ask("latency_outliers", dimension="tool")
    if tool:
        _one_tool(context, tool, summary.result(), over_time, patterns, latency, outliers)
        return
    by_agent = context.ask_if_there("tools_by_agent")
    retries, offered, schemas = context.ask("tool_retries"), context.ask("tools_offered"), context.ask("schema_cost")
    _tiles(context, summary.result(), context.ask_before("tool_summary").result())
    left, right = st.columns(2)
    with left:
        _rates(context, summary)
    with right:
        _latency(context, latency)
    _errors(context, patterns)
    _over_time(context, over_time)
    left, right = st.columns(2)
    with left:
        _outliers(context, outliers)
        _offered(context, offered)
    with right:
        _retries(context, retries)
        _schemas(context, schemas)
    if by_agent:
        _by_agent(context, by_agent)
    _table(context, summary)


def _open(context: Context, tool: str) -> None:
    navigation.go(context, "tools", tool=tool)


def _tiles(context: Context, got: Answer, before: Answer) -> None:
    calls, errors = got.total("calls"), got.total("errors")
    rate = errors / calls if calls else None
    calls_before = before.total("calls")
    rate_before = before.total("errors") / calls_before if calls_before else None
    panels.tiles(
        context,
        panels.Tile(
            "Tool calls", formatting.count(calls), "Every execution of a tool.", formatting.change(calls, calls_before)
        ),
        panels.Tile(
            "Errors",
            formatting.count(errors),
            "Calls that could not tell: exceptions, timeouts, refusals.",
            formatting.change(errors, before.total("errors")),
            "down",
        ),
        panels.Tile(
            "Error rate", formatting.ratio(rate), "Errors, of all calls.", formatting.points(rate, rate_before), "down"
        ),
        panels.Tile(
            "Not found",
            formatting.count(got.total("not_found")),
            "Calls that answered that there is nothing: legitimate, not an error.",
        ),
        panels.Tile("Tools called", formatting.count(len(got.rows)), "Different tools that were called."),
    )


def fact(answer: Answer) -> str:
    """How many tool calls failed, of how many."""
    calls, errors = answer.total("calls"), answer.total("errors")
    share = formatting.ratio(errors / calls) if calls else formatting.NOTHING
    return f"{formatting.count(errors)} of {formatting.plural(calls, 'tool call')} failed ({share})"


def _rates(context: Context, answer: Any) -> None:
    panels.chart_panel(
        context,
        answer,
        key="tool-rates",
        title=fact,
        note="Bars: share of calls that failed; lines: 95 % interval (Wilson). Click a bar for its tool.",
        chart=lambda got: panels.rates_chart(
            sorted(got.rows, key=lambda row: (-(row["error_rate"] or 0), -row["calls"]))[:16]
        ),
        on_click=lambda point: _open(context, str(point["key"])),
        nothing=NO_TOOL,
    )


def _latency(context: Context, answer: Any) -> None:
    panels.chart_panel(
        context,
        answer,
        key="tool-latency",
        title=_latency_fact,
        note="Duration of calls: from p50 to p99, p95 marked; logarithmic. Click a bar for its tool.",
        chart=lambda got: bars.spreads(_slowest(got), label="key", title="duration", selection=panels.click("key")),
        on_click=lambda point: _open(context, str(point["key"])),
        nothing=NO_TOOL,
    )


def _slowest(got: Answer) -> Rows:
    return sorted(got.rows, key=lambda row: -(row["p95_duration_ns"] or 0))[:16]


def _latency_fact(got: Answer) -> str:
    slowest = _slowest(got)[0]
    return f"{slowest['key']} is slowest: 95 of 100 calls within {formatting.duration(slowest['p95_duration_ns'])}"


def _errors(context: Context, answer: Any, tool: str = "") -> None:
    def rows(got: Answer) -> Rows:
        return [row for row in got.rows if not tool or row["tool"] == tool]

    panels.table_panel(
        context,
        answer,
        ERRORS,
        key="tool-errors",
        title=lambda got: formatting.plural(len(rows(got)), "error pattern"),
        note="Numbers, ids and quoted values in messages are taken out. Click a row for an example run.",
        nothing="No tool call failed in this time range.",
        rows=rows,
        opens=lambda row: panels.open_run(context, row["example_run_id"], span=row["example_span_id"]),
    )


def _over_time(context: Context, answer: Any) -> None:
    panels.chart_panel(
        context,
        answer,
        key="tools-over-time",
        title=lambda got: (
            f"{formatting.plural(got.total('calls'), 'tool call')}, "
            f"{formatting.count(got.total('errors'))} of them failed"
        ),
        note="Calls by tool; the eight most called have a colour of their own. Click a bar for its runs.",
        chart=lambda got: panels.stack(
            context,
            (folded := panels.fold(got.rows, "tool", "calls")),
            key="tool",
            value="calls",
            unit="calls",
            title="tool calls",
            colours=palette.series(panels.by_size(folded, "tool", "calls")),
            selection=panels.click("bucket"),
            wide=True,
        ),
        on_click=lambda point: panels.open_bucket(context, point),
        nothing=NO_TOOL,
    )


def _outliers(context: Context, answer: Any, tool: str = "") -> None:
    def rows(got: Answer) -> Rows:
        found = [row for row in got.rows if not tool or row["key"] == tool]
        return [{**row, "factor": f"{formatting.count(row['times_median'])} ×"} for row in found]

    panels.table_panel(
        context,
        answer,
        OUTLIERS,
        key="tool-outliers",
        title=lambda got: f"{formatting.plural(len(rows(got)), 'call')} took over five times the usual",
        note="Usual: the tool's median. Click a row to see the call.",
        nothing="No call took over five times its tool's median.",
        rows=rows,
        opens=lambda row: panels.open_run(context, row["run_id"], span=row["span_id"]),
    )


def _retries(context: Context, answer: Any) -> None:
    panels.table_panel(
        context,
        answer,
        RETRIES,
        key="tool-retries",
        title=lambda got: (
            f"{formatting.count(got.total('recovered'))} of "
            f"{formatting.plural(got.total('retried'), 'retried call')} recovered"
        ),
        note="Calls that repeat a failed one of the same run. Click a row for its tool.",
        nothing="No failed call was retried.",
        opens=lambda row: _open(context, str(row["tool"])),
    )


def _offered(context: Context, answer: Any) -> None:
    def rows(got: Answer) -> Rows:
        odd = [row for row in got.rows if row["never_called"] or row["invented_calls"]]
        return [{**row, "state": "never called" if row["never_called"] else "invented"} for row in odd]

    panels.table_panel(
        context,
        answer,
        OFFERED,
        key="tools-offered",
        title=lambda got: f"{formatting.plural(len(rows(got)), 'tool')} never called, or called without being offered",
        note="Known of senders that record which tools the model was offered.",
        nothing="Every tool offered was called, and none was invented; senders that record no offers are not in this.",
        rows=rows,
    )


def _schemas(context: Context, answer: Any) -> None:
    def rows(got: Answer) -> Rows:
        return [row for row in got.rows if row["recorded_runs"]]

    panels.table_panel(
        context,
        answer,
        SCHEMAS,
        key="schema-cost",
        title=lambda got: (
            f"{formatting.count(got.total('unused_schema_tokens'))} input tokens carried schemas of tools never called"
        ),
        note="Schemas are sent with every model call; four bytes count as a token.",
        nothing="No sender recorded the schemas of the tools it offers.",
        rows=rows,
    )


def _by_agent(context: Context, answer: Any) -> None:
    panels.chart_panel(
        context,
        answer,
        key="tools-by-agent",
        title=lambda got: (
            f"{formatting.plural(len(panels.sums(got.rows, 'agent', 'calls')), 'agent')} call "
            + formatting.plural(len(panels.sums(got.rows, "tool", "calls")), "tool")
        ),
        note="Calls by agent and tool; the shade is the share that failed. Click a cell for its runs.",
        chart=lambda got: bars.matrix(got.rows, selection=panels.click("agent", "tool")),
        on_click=lambda point: panels.open_runs(context, panels.called(str(point["tool"])), agent=str(point["agent"])),
        nothing=NO_TOOL,
    )


def _table(context: Context, answer: Any) -> None:
    panels.table_panel(
        context,
        answer,
        SUMMARY,
        key="tools",
        title="All tools",
        note="Click a row for its tool.",
        nothing=NO_TOOL,
        rows=lambda got: sorted(got.rows, key=lambda row: -row["calls"]),
        opens=lambda row: _open(context, str(row["tool"])),
    )


def _one_tool(
    context: Context, tool: str, summary: Answer, over_time: Any, patterns: Any, latency: Any, outliers: Any
) -> None:
    navigation.link(context, "tools", "All tools", ":material/arrow_back:")
    st.subheader(plain(tool), anchor=False)
    row = next((one for one in summary.rows if one["tool"] == tool), None)
    if row is None:
        st.info("This tool was not called in this time range.", icon=":material/search_off:")
        return
    interval = (
        f"95 % interval: {formatting.ratio(row['error_rate_low'])} to {formatting.ratio(row['error_rate_high'])}."
    )
    panels.tiles(
        context,
        panels.Tile("Calls", formatting.count(row["calls"]), f"In {formatting.plural(row['runs'], 'run')}."),
        panels.Tile(
            "Errors", formatting.count(row["errors"]), f"{formatting.count(row['retryable_errors'])} of them retryable."
        ),
        panels.Tile("Error rate", formatting.ratio(row["error_rate"]), interval),
        panels.Tile("Not found", formatting.count(row["not_found"]), "Calls that answered that there is nothing."),
        panels.Tile("p50", formatting.duration(row["p50_duration_ns"]), "Half of the calls took less."),
        panels.Tile("p95", formatting.duration(row["p95_duration_ns"]), "95 of 100 calls took less."),
    )
    panels.chart_panel(
        context,
        over_time,
        key="one-tool",
        title=lambda got: f"{formatting.count(row['errors'])} of {formatting.plural(row['calls'], 'call')} failed",
        note="Calls by outcome. Click a bar for its runs.",
        chart=lambda got: panels.stack(
            context,
            _outcomes([one for one in got.rows if one["tool"] == tool]),
            key="outcome",
            value="calls",
            unit="calls",
            title="calls",
            colours={"failed": palette.VERMILION, "did not fail": "#B4BDC7"},
            selection=panels.click("bucket"),
        ),
        on_click=lambda point: panels.open_bucket(context, point, panels.called(tool)),
    )
    _errors(context, patterns, tool)
    _outliers(context, outliers, tool)
    if st.button("Runs that called this tool", icon=":material/list_alt:"):
        panels.open_tool(context, tool)


def _outcomes(rows: Rows) -> list[dict[str, Any]]:
    return [
        {"bucket": row["bucket"], "outcome": name, "calls": calls}
        for row in rows
        for name, calls in (("failed", row["errors"]), ("did not fail", row["calls"] - row["errors"]))
        if calls
    ]
