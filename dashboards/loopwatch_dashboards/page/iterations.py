"""Iterations: how often agents go round, where they hit the cap, what long runs do differently, loops."""

from collections.abc import Callable, Mapping
from datetime import tzinfo
from typing import Any

import streamlit as st

from loopwatch_dashboards import choices, formatting, frame, links, panels, states, sums, tiles
from loopwatch_dashboards.api import NO_ANSWER, Answer
from loopwatch_dashboards.charts import histograms, palette, timeline
from loopwatch_dashboards.context import Context
from loopwatch_dashboards.text import plain

SECTIONS = {"runs": "All runs", "long": "Long runs", "loops": "Loops"}
SPLITS = {"outcome": "outcome", "agent": "agent", "version": "version"}
LONG_TOOLS = {
    "tool": ("tool", "text"),
    "long_calls_per_run": ("calls per long run", "calls"),
    "other_calls_per_run": ("per other run", "calls"),
    "long_error_rate": ("error rate in long runs", "ratio"),
    "other_error_rate": ("in others", "ratio"),
}
MAX_RUNS = 100  # what an address has room for
LOOPS = {
    "kind": ("kind", "text"),
    "tool": ("tool", "text"),
    "times": ("loops", "count"),
    "runs": ("runs", "runs"),
    "repeated_calls": ("repeated calls", "calls"),
    "wasted_tokens": ("wasted tokens", "tokens"),
    "wasted_usd": ("wasted cost", "usd"),
}
COMPARED = {"measure": ("measure", "text"), "long": ("long runs", "figure"), "other": ("others", "figure")}
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
    section = choices.asked(SECTIONS, param="show", context=context)
    draw = {"long": _ask_long_runs, "loops": _ask_loops}.get(section, _ask_distribution)(context)
    _tiles(context, states.awaited(summary).first, states.spared(before, NO_ANSWER).first)
    choices.choice("Show", SECTIONS, param="show", context=context)
    draw()


def _ask_distribution(context: Context) -> Callable[[], None]:
    distribution, trend = context.ask("iteration_distribution"), context.ask_over_time("iteration_trend")

    def draw() -> None:
        _distribution(context, distribution)
        panels.rows_of_two(lambda: _trend(context, trend), lambda: _cap_trend(context, trend))

    return draw


def _ask_long_runs(context: Context) -> Callable[[], None]:
    return lambda: _long_runs(context, states.awaited(context.ask("iterations_summary")).first)


def _ask_loops(context: Context) -> Callable[[], None]:
    loops = context.ask("loops")
    return lambda: _loops(context, loops)


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
        runs=panels.summed,
        note=f"By number of iterations and {by}. Click a bar for its runs.",
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
        opens=lambda point: links.open_iterations(context, int(point["number"]), by, str(point["key"])),
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
        title=lambda got: _trend_fact(got, context.zone),
        runs=panels.summed,
        note="A time without runs is a gap in the line. Click a point for its runs.",
        chart=lambda got: timeline.lines(
            got.rows,
            series={"mean": "mean", "p95": "p95"},
            unit="count",
            title="iterations per run",
            colours=(palette.BLUE, palette.ORANGE),
            window=context.window,
            zone=context.zone,
            selection=panels.click("bucket"),
        ),
        opens=lambda point: links.open_bucket(context, point),
    )


def _trend_fact(answer: Answer, zone: tzinfo) -> str:
    highest = max(answer.rows, key=lambda row: row["mean"] or 0)
    when = formatting.time(highest["bucket"], zone)[:16]
    return f"Highest mean: {formatting.count(highest['mean'])} iterations, from {when} ({zone})"


def _cap_trend(context: Context, answer: Any) -> None:
    panels.chart_panel(
        context,
        answer,
        key="cap-trend",
        title=lambda got: (
            f"At most {formatting.ratio(max((r['share_at_cap'] or 0) for r in got.rows))} of runs at the cap"
        ),
        runs=panels.summed,
        note="Share of the runs with a cap that used every iteration it allows. Click a point for its runs.",
        chart=lambda got: timeline.lines(
            got.rows,
            series={"share_at_cap": "at the cap"},
            unit="ratio",
            title="share of runs",
            colours=(palette.VERMILION,),
            window=context.window,
            zone=context.zone,
            selection=panels.click("bucket"),
        ),
        opens=lambda point: links.open_bucket(context, point),
        is_empty=lambda got: all(row["share_at_cap"] is None for row in got.rows),
        nothing="No run in this time range had a cap on iterations.",
    )


def _long_runs(context: Context, summary: Mapping[str, Any]) -> None:
    default = max(1, int(summary.get("p95") or 10))
    over = choices.number("Over iterations", param="over", default=default, context=context)
    compared, tools = (
        context.ask("long_runs", over_iterations=over),
        context.ask("long_run_tools", over_iterations=over),
    )
    rows = states.awaited(compared).rows
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
    with left:
        panels.table_panel(
            context,
            compared,
            COMPARED,
            key="long-runs",
            title=lambda _: cost_fact(long, other),
            runs=panels.summed,
            note="Click a row for the long runs.",
            rows=lambda _: _differences(long, other),
            opens=lambda _: links.open_runs(context, f"iterations > {over}"),
        )
    with right:
        panels.table_panel(
            context,
            tools,
            LONG_TOOLS,
            key="long-run-tools",
            title=lambda got: _most_called(got.rows[0]),
            runs=panels.in_view(context),
            note="Tools by the difference in calls per run. Click a row for its long runs.",
            opens=lambda row: links.open_runs(context, f"iterations > {over} and {links.called(str(row['tool']))}"),
        )


def cost_fact(long: Mapping[str, Any], other: Mapping[str, Any] | None) -> str:
    """What long runs cost beside the others."""
    of_others = f", the others {formatting.usd(other['mean_cost_usd'])}" if other else ""
    return f"A long run costs {formatting.usd(long['mean_cost_usd'])}{of_others}"


def _most_called(row: Mapping[str, Any]) -> str:
    often, else_ = (formatting.count(row[f"{which}_calls_per_run"]) for which in ("long", "other"))
    return f"Long runs call {row['tool']} {often} times, others {else_}"


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
        runs=panels.in_view(context),
        note="The same call again and again, cycles, no progress. Wasted: the model calls that asked for the repeats. "
        "Click a row for its runs.",
        nothing="No loop was found in this time range.",
        rows=lambda got: [{**row, "kind": row["kind"].replace("_", " ")} for row in got.rows],
        opens=lambda row: _open_looping(context, row),
    )


def _open_looping(context: Context, row: Mapping[str, Any]) -> None:
    """Opens the runs in which loops of a kind were found around a tool."""
    found = context.ask("loop_list", limit=1000).result().rows
    kind = str(row["kind"]).replace(" ", "_")
    ids = [str(one["run_id"]) for one in found if (one["kind"], one["tool"]) == (kind, row["tool"])]
    links.open_runs(context, links.any_of("run", ids[:MAX_RUNS]))
