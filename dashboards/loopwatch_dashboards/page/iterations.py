"""Iterations: how often agents go round, where they hit the cap, what long runs do differently, loops."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from loopwatch_dashboards import choices, formatting, frame, links, panels, sums, tables, tiles
from loopwatch_dashboards.api import Answer
from loopwatch_dashboards.charts import histograms, palette
from loopwatch_dashboards.context import Context
from loopwatch_dashboards.text import plain

SPLITS = {"outcome": "outcome", "agent": "agent", "version": "version"}
LONG_TOOLS = {
    "tool": ("tool", "text"),
    "long_calls_per_run": ("calls per long run", "calls"),
    "other_calls_per_run": ("per other run", "calls"),
    "long_error_rate": ("error rate in long runs", "ratio"),
    "other_error_rate": ("in others", "ratio"),
}
LOOPS = {
    "kind": ("kind", "text"),
    "tool": ("tool", "text"),
    "times": ("loops", "count"),
    "runs": ("runs", "runs"),
    "repeated_calls": ("repeated calls", "calls"),
    "wasted_tokens": ("wasted tokens", "tokens"),
    "wasted_usd": ("wasted cost", "usd"),
}
# Measures of long_runs: column -> (name, unit).
DIFFERENCES = {
    "mean_iterations": ("iterations per run", "count"),
    "mean_tool_calls": ("tool calls per run", "count"),
    "tool_error_rate": ("tool calls that failed", "ratio"),
    "repeated_call_share": ("calls repeated unchanged", "ratio"),
    "retry_share": ("calls that retry a failed one", "ratio"),
    "mean_cost_usd": ("cost per run", "usd"),
    "escalation_rate": ("runs that escalated", "ratio"),
}


def iterations() -> None:
    """The Iterations page."""
    frame.page("Iterations", _body)


def _body(context: Context) -> None:
    summary, before = context.ask("iterations_summary"), context.ask_before("iterations_summary")
    distribution = context.ask("iteration_distribution")
    trend = context.ask_over_time("iteration_trend")
    loops = context.ask("loops")
    _tiles(context, summary.result().first, before.result().first)
    _distribution(context, distribution)
    left, right = st.columns(2)
    with left:
        _trend(context, trend)
    with right:
        _cap_trend(context, trend)
    _long_runs(context, summary.result().first)
    st.subheader("Loops", anchor=False)
    _loops(context, loops)


def _tiles(context: Context, got: Mapping[str, Any], before: Mapping[str, Any]) -> None:
    def of(column: str, label: str, note: str) -> tiles.Tile:
        delta = formatting.change(got.get(column), before.get(column)) if before.get("runs") else None
        return tiles.Tile(label, formatting.count(got.get(column)), note, delta, "down")

    at_cap = tiles.Tile(
        "At the cap",
        formatting.ratio(got.get("share_at_cap")),
        f"{formatting.count(got.get('runs_at_cap'))} of {formatting.count(got.get('capped_runs'))} runs with a cap "
        "used every iteration it allows.",
        formatting.points(got.get("share_at_cap"), before.get("share_at_cap")) if before.get("runs") else None,
        "down",
    )
    tiles.show(
        context,
        of("mean", "Mean", "Iterations per run, on average."),
        of("p50", "p50", "Half of the runs needed at most this many."),
        of("p95", "p95", "95 of 100 runs needed at most this many."),
        of("p99", "p99", "99 of 100 runs needed at most this many."),
        of("max", "Max", "The most any run needed."),
        at_cap,
    )


def _distribution(context: Context, answer: Any) -> None:
    by = choices.choice("Split by", SPLITS, param="by", context=context)
    panels.chart_panel(
        context,
        answer,
        key=f"iteration-distribution-{by}",
        title=_distribution_fact,
        note=f"Runs by number of iterations, by {by}. Click a bar for its runs.",
        chart=lambda got: histograms.distribution(
            got.rows,
            value="iterations",
            weight="runs",
            key=by,
            title="iterations",
            weight_title="runs",
            colours=_colours(got, by),
            selection=panels.click("number", "key"),
        ),
        on_click=lambda point: links.open_iterations(context, int(point["number"]), by, str(point["key"])),
    )


def _distribution_fact(answer: Answer) -> str:
    """The lower median and the maximum, from the distribution itself."""
    runs = answer.total("runs")
    seen, middle = 0, 0
    for row in sorted(answer.rows, key=lambda one: one["iterations"]):
        seen += row["runs"]
        middle = row["iterations"]
        if seen * 2 >= runs:
            break
    longest = max(row["iterations"] for row in answer.rows)
    return f"Half of {formatting.plural(runs, 'run')} took up to {middle} iterations, the longest {longest}"


def _colours(answer: Answer, by: str) -> dict[str, str]:
    present = sums.ranked(answer.rows, by, "runs")
    if by == "outcome":
        return {name: colour for name, colour in palette.OUTCOMES.items() if name in present}
    return palette.series(present)


def _trend(context: Context, answer: Any) -> None:
    panels.chart_panel(
        context,
        answer,
        key="iteration-trend",
        title=_trend_fact,
        note=lambda got: f"{formatting.plural(got.total('runs'), 'run')}; a time without runs is a gap in the line.",
        chart=lambda got: panels.lines(
            context,
            got.rows,
            series={"mean": "mean", "p95": "p95"},
            unit="count",
            title="iterations per run",
            colours=(palette.BLUE, palette.ORANGE),
        ),
    )


def _trend_fact(answer: Answer) -> str:
    highest = max(answer.rows, key=lambda row: row["mean"] or 0)
    when = formatting.time(highest["bucket"])[:16]
    return f"Highest mean: {formatting.count(highest['mean'])} iterations, from {when} UTC"


def _cap_trend(context: Context, answer: Any) -> None:
    panels.chart_panel(
        context,
        answer,
        key="cap-trend",
        title=lambda got: (
            f"At most {formatting.ratio(max((r['share_at_cap'] or 0) for r in got.rows))} of runs at the cap"
        ),
        note="Share of the runs with a cap that used every iteration it allows.",
        chart=lambda got: panels.lines(
            context,
            got.rows,
            series={"share_at_cap": "at the cap"},
            unit="ratio",
            title="share of runs",
            colours=(palette.VERMILION,),
        ),
        is_empty=lambda got: all(row["share_at_cap"] is None for row in got.rows),
        nothing="No run in this time range had a cap on iterations.",
    )


def _long_runs(context: Context, summary: Mapping[str, Any]) -> None:
    st.subheader("What long runs do differently", anchor=False)
    default = max(1, int(summary.get("p95") or 10))
    over = choices.number("Over iterations", param="over", default=default, context=context)
    compared, tools = (
        context.ask("long_runs", over_iterations=over),
        context.ask("long_run_tools", over_iterations=over),
    )
    rows = compared.result().rows
    long = next((row for row in rows if row["long"]), None)
    if not long or not long["runs"]:
        st.caption(f"No run took more than {over} iterations.")
        return
    other = next((row for row in rows if not row["long"]), None)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(
            f"**{formatting.plural(long['runs'], 'run')} took more than {over} iterations.** {_cause(long, other)}"
        )
        if st.button("Show them", icon=":material/list_alt:", type="tertiary"):
            links.open_runs(context, f"iterations > {over}")
    left, right = st.columns([2, 3])
    with left, st.container(border=True, key="panel-long-runs"):
        st.markdown("**Long runs beside the others**")
        tables.show(
            context,
            _differences(long, other),
            {"measure": ("measure", "text"), "long": ("long runs", "text"), "other": ("others", "text")},
            key="long-runs",
        )
    with right:
        panels.table_panel(
            context,
            tools,
            LONG_TOOLS,
            key="long-run-tools",
            title=lambda got: f"{got.rows[0]['tool']} differs most",
            note="Tools by the difference in calls per run. Click a row for its runs.",
            opens=lambda row: links.open_tool(context, str(row["tool"])),
        )


def _differences(long: Mapping[str, Any], other: Mapping[str, Any] | None) -> list[dict[str, str]]:
    return [
        {
            "measure": name,
            "long": formatting.of_unit(long[column], unit),
            "other": formatting.of_unit(other[column], unit) if other else formatting.NOTHING,
        }
        for column, (name, unit) in DIFFERENCES.items()
    ]


def _cause(long: Mapping[str, Any], other: Mapping[str, Any] | None) -> str:
    """What sets long runs apart most, said plainly."""
    if not other:
        return ""
    reasons = {
        "repeated_call_share": "they repeat calls unchanged",
        "tool_error_rate": "their tools fail",
        "retry_share": "they retry failed calls",
    }
    gaps = {column: (long[column] or 0) - (other[column] or 0) for column in reasons}
    column = max(gaps, key=lambda name: gaps[name])
    if gaps[column] < 0.01:
        return "They neither repeat calls, nor retry, nor fail more than the others."
    both = f"{formatting.ratio(long[column])} against {formatting.ratio(other[column])}"
    return plain(f"Most apart: {reasons[column]} ({both}).")


def _loops(context: Context, answer: Any) -> None:
    panels.table_panel(
        context,
        answer,
        LOOPS,
        key="loops",
        title=lambda got: (
            f"{formatting.plural(int(got.total('times')), 'loop')} wasted {formatting.usd(got.total('wasted_usd'))}"
        ),
        note="The same call again and again, cycles, no progress. Wasted: the model calls that asked for the repeats. "
        "Click a row for an example run.",
        nothing="No loop was found in this time range.",
        rows=lambda got: [{**row, "kind": row["kind"].replace("_", " ")} for row in got.rows],
        opens=lambda row: links.open_run(context, str(row["example_run_id"])),
    )
