"""Tools: which fail, how, how slow they are, what is offered in vain, and one tool by itself."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from loopwatch_dashboards import choices, formatting, frame, links, navigation, panels, states, sums, tiles
from loopwatch_dashboards.api import NO_ANSWER, Answer
from loopwatch_dashboards.charts import bars, palette, timeline
from loopwatch_dashboards.charts.matrix import matrix
from loopwatch_dashboards.context import Context
from loopwatch_dashboards.one_tool import ask_outliers, error_patterns, failed_calls, one_tool, outliers_panel

Rows = Sequence[Mapping[str, Any]]
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
RETRIES = {
    "tool": ("tool", "text"),
    "failed": ("failed", "calls"),
    "retried": ("retried", "calls"),
    "recovered": ("recovered", "calls"),
    "recovery_rate": ("of the retried", "ratio"),
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
SECTIONS = {"failures": "Failures", "latency": "Latency", "agents": "Agents", "offered": "Offered and schemas"}
NO_TOOL = "No tool was called in this time range."


def tools() -> None:
    """The Tools page; with the URL parameter `tool` the page of that tool."""
    frame.page("Tools", _body)


def _body(context: Context) -> None:
    tool = context.params.get("tool", "")
    summary = context.ask("tool_summary")
    if tool:
        one_tool(context, tool, states.awaited(summary))
        return
    later = context.after(summary)
    before = later.ask_before("tool_summary")
    section = choices.asked(SECTIONS, param="show", context=context)
    draw = {"latency": _ask_latency, "agents": _ask_agents, "offered": _ask_offered}.get(section, _ask_failures)(later)
    _tiles(context, states.awaited(summary), states.spared(before, NO_ANSWER))
    choices.choice("Show", SECTIONS, param="show", context=context)
    draw()


def _ask_failures(context: Context) -> Callable[[], None]:
    summary, over_time = context.ask("tool_summary"), context.ask_over_time("tools_over_time")
    patterns, retries = context.ask("tool_errors"), context.ask("tool_retries")

    def draw() -> None:
        panels.rows_of_two(lambda: _rates(context, summary), lambda: _retries(context, retries))
        _over_time(context, over_time)
        error_patterns(context, patterns)
        _table(context, summary)

    return draw


def _ask_latency(context: Context) -> Callable[[], None]:
    latency, outliers = context.ask("latency", dimension="tool"), ask_outliers(context)

    def draw() -> None:
        panels.rows_of_two(lambda: _latency(context, latency), lambda: outliers_panel(context, outliers))

    return draw


def _ask_agents(context: Context) -> Callable[[], None]:
    by_agent = context.ask("tools_by_agent")
    return lambda: _by_agent(context, by_agent)


def _ask_offered(context: Context) -> Callable[[], None]:
    offered, schemas = context.ask("tools_offered"), context.ask("schema_cost")

    def draw() -> None:
        panels.rows_of_two(lambda: _offered(context, offered), lambda: _schemas(context, schemas))

    return draw


def _called(tool: str) -> str:
    return "" if tool == palette.OTHERS else links.called(tool)


def _tiles(context: Context, got: Answer, before: Answer) -> None:
    calls, errors = got.total("calls"), got.total("errors")
    rate = errors / calls if calls else None
    calls_before = before.total("calls")
    rate_before = before.total("errors") / calls_before if calls_before else None
    tiles.show(
        context,
        tiles.Tile(
            "Tool calls", formatting.count(calls), "Every execution of a tool.", formatting.change(calls, calls_before)
        ),
        tiles.Tile(
            "Errors",
            formatting.count(errors),
            "Calls that could not tell: exceptions, timeouts, refusals.",
            formatting.change(errors, before.total("errors")),
            "down",
        ),
        tiles.Tile(
            "Error rate", formatting.ratio(rate), "Errors, of all calls.", formatting.points(rate, rate_before), "down"
        ),
        tiles.Tile(
            "Not found",
            formatting.count(got.total("not_found")),
            "Calls that answered that there is nothing: legitimate, not an error.",
        ),
        tiles.Tile("Tools called", formatting.count(len(got.rows)), "Different tools that were called."),
    )


def _rates(context: Context, answer: Any) -> None:
    panels.chart_panel(
        context,
        answer,
        key="tool-rates",
        title=failed_calls,
        runs=panels.in_view(context),
        note="Share of a tool's calls that failed, with the 95 % interval. Click a bar for the runs it failed in.",
        chart=lambda got: bars.rates(
            sorted(got.rows, key=lambda row: (-(row["error_rate_low"] or 0), -row["calls"]))[:16],
            label="tool",
            title="share of calls that failed",
            selection=panels.click("key"),
        ),
        opens=lambda point: links.open_runs(context, links.failed(str(point["key"]))),
        nothing=NO_TOOL,
    )


def _latency(context: Context, answer: Any) -> None:
    panels.chart_panel(
        context,
        answer,
        key="tool-latency",
        title=_latency_fact,
        runs=panels.in_view(context),
        note="From p50 to p99, p95 marked; logarithmic. Click a bar for the runs that called it.",
        chart=lambda got: bars.spreads(_slowest(got), label="key", title="duration", selection=panels.click("key")),
        opens=lambda point: links.open_tool(context, str(point["key"])),
        nothing=NO_TOOL,
    )


def _slowest(got: Answer) -> Rows:
    return sorted(got.rows, key=lambda row: -(row["p95_duration_ns"] or 0))[:16]


def _latency_fact(got: Answer) -> str:
    slowest = _slowest(got)[0]
    return f"{slowest['key']} is slowest: 95 of 100 calls within {formatting.duration(slowest['p95_duration_ns'])}"


def _over_time(context: Context, answer: Any) -> None:
    panels.chart_panel(
        context,
        answer,
        key="tools-over-time",
        title=lambda got: (
            f"{formatting.plural(got.total('calls'), 'tool call')}, "
            f"{formatting.count(got.total('errors'))} of them failed"
        ),
        runs=panels.in_view(context),
        note="Calls by tool; the eight most called have a colour of their own. Click a bar for its runs.",
        chart=lambda got: timeline.stacked(
            (folded := sums.folded(got.rows, "tool", "calls")),
            key="tool",
            value="calls",
            unit="calls",
            title="tool calls",
            colours=palette.series(sums.ranked(folded, "tool", "calls")),
            window=context.window,
            zone=context.zone,
            selection=panels.click("bucket", "key"),
        ),
        opens=lambda point: links.open_bucket(context, point, _called(str(point["key"]))),
        nothing=NO_TOOL,
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
        runs=panels.in_view(context),
        note="Calls that repeat a failed one of the same run. Click a row for the runs.",
        nothing="No failed call was retried.",
        opens=lambda row: links.open_runs(context, links.failed(str(row["tool"]))),
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
        runs=panels.in_view(context),
        note="Known of senders that record which tools the model was offered. Click a row for an example run.",
        opens=lambda row: links.open_run(context, str(row["example_run_id"])),
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
        runs=lambda got: int(got.total("recorded_runs")),
        note="Sent with every model call; four bytes count as a token. Click a row for the agent's runs.",
        opens=lambda row: links.open_runs(context, agent=str(row["agent"])),
        nothing="No sender recorded the schemas of the tools it offers.",
        rows=rows,
    )


def _by_agent(context: Context, answer: Any) -> None:
    panels.chart_panel(
        context,
        answer,
        key="tools-by-agent",
        title=worst_pair,
        runs=panels.in_view(context),
        note="Calls by agent and tool; the shade is the share that failed. Click a cell for its runs.",
        chart=lambda got: matrix(got.rows, selection=panels.click("agent", "tool")),
        opens=lambda point: links.open_runs(context, links.called(str(point["tool"])), agent=str(point["agent"])),
        nothing=NO_TOOL,
    )


def worst_pair(answer: Answer) -> str:
    """The agent and tool that fail most, as far as so few calls can tell; else how many there are."""
    worst = max(answer.rows, key=lambda row: row["error_rate_low"] or 0)
    if not worst["errors"]:
        agents, tools = (len(sums.by_key(answer.rows, column, "calls")) for column in ("agent", "tool"))
        return f"{formatting.plural(agents, 'agent')} call {formatting.plural(tools, 'tool')}, no call failed"
    share, calls = formatting.ratio(worst["error_rate"]), formatting.count(worst["calls"])
    return f"{worst['tool']} fails most, called by {worst['agent']}: {share} of {calls}"


def _table(context: Context, answer: Any) -> None:
    panels.table_panel(
        context,
        answer,
        SUMMARY,
        key="tools",
        title=lambda got: f"{formatting.plural(len(got.rows), 'tool')} called",
        runs=panels.in_view(context),
        note="Click a row for the tool's own page.",
        nothing=NO_TOOL,
        rows=lambda got: sorted(got.rows, key=lambda row: -row["calls"]),
        opens=lambda row: navigation.go(context, "tools", tool=str(row["tool"])),
    )
