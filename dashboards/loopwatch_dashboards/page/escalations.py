"""Escalations: how often agents hand over, why, after what, and at what price."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from loopwatch_dashboards import choices, formatting, frame, links, panels, states, sums, tiles
from loopwatch_dashboards.api import NO_ANSWER, Answer
from loopwatch_dashboards.charts import bars, palette, timeline
from loopwatch_dashboards.context import Context
from loopwatch_dashboards.outcome_shares import DIMENSIONS, open_share, shares_panel

LISTED = {
    "time": ("time", "time"),
    "agent": ("agent", "text"),
    "version": ("version", "text"),
    "customer_id": ("customer", "text"),
    "reason": ("reason", "text"),
    "priority": ("priority", "text"),
    "last_tool": ("last tool", "text"),
    "iterations": ("iterations", "count"),
    "cost_usd": ("cost", "usd"),
}
UNTIL = {
    "escalated": ("escalated", "runs"),
    "escalation_rate": ("of those that ended", "ratio"),
    "mean_iterations": ("iterations until then", "count"),
    "mean_cost_usd": ("cost until then", "usd"),
}
NO_REASON = "no reason given"
NO_TOOL = "no tool call"


def escalations() -> None:
    """The Escalations page."""
    frame.page("Escalations", _body)


def _body(context: Context) -> None:
    summary, before = context.ask("escalations_summary"), context.ask_before("escalations_summary")
    over_time = context.ask_over_time("escalations_over_time")
    later = context.after(over_time)
    reasons, listed = later.ask("escalation_reasons"), later.ask("escalations", limit=200)
    now = states.awaited(summary).first
    _tiles(context, now, states.spared(before, NO_ANSWER).first)
    if not now.get("escalated"):
        st.info("No run was handed to a human in this time range.", icon=":material/thumb_up:")
        return
    dimension = choices.choice("Rate by", DIMENSIONS, param="by", context=context)
    by = later.ask("escalations_by", dimension=dimension)
    panels.rows_of_two(
        lambda: _over_time(context, over_time),
        lambda: shares_panel(context, by, dimension, "escalated", fact="escalates most"),
        lambda: _reasons(context, reasons),
        lambda: _last_tools(context, reasons),
    )
    _until(context, by, dimension)
    _list(context, listed)


def _tiles(context: Context, now: Mapping[str, Any], before: Mapping[str, Any]) -> None:
    def delta(column: str, compare: Any = formatting.change) -> str | None:
        return compare(now.get(column), before.get(column)) if before.get("runs") else None

    tiles.show(
        context,
        tiles.Tile(
            "Escalated", formatting.count(now.get("escalated")), "Runs handed to a human.", delta("escalated"), "down"
        ),
        tiles.Tile(
            "Escalation rate",
            formatting.ratio(now.get("escalation_rate")),
            "Of the runs that have ended.",
            delta("escalation_rate", formatting.points),
            "down",
        ),
        tiles.Tile(
            "Iterations until then",
            formatting.count(now.get("mean_iterations")),
            "Mean over the escalated runs.",
            delta("mean_iterations"),
            "down",
        ),
        tiles.Tile(
            "Cost until then",
            formatting.usd(now.get("mean_cost_usd")),
            "Mean over the escalated runs.",
            delta("mean_cost_usd"),
            "down",
        ),
    )


def _over_time(context: Context, answer: Any) -> None:
    panels.chart_panel(
        context,
        answer,
        key="escalations-over-time",
        title=lambda got: (
            f"{formatting.count(got.total('escalated'))} of {formatting.plural(got.total('runs'), 'run')} escalated"
        ),
        runs=panels.summed,
        note="By start time. Click a bar for its runs.",
        chart=lambda got: timeline.stacked(
            _split(got.rows),
            key="outcome",
            value="runs",
            unit="runs",
            title="runs",
            colours={"escalated": palette.ORANGE, "not escalated": "#B4BDC7"},
            window=context.window,
            zone=context.zone,
            selection=panels.click("bucket", "key"),
        ),
        opens=lambda point: links.open_bucket(
            context,
            point,
            **({"outcome": "escalated"} if point["key"] == "escalated" else {"where": "outcome != escalated"}),
        ),
    )


def _until(context: Context, answer: Any, dimension: str) -> None:
    panels.table_panel(
        context,
        answer,
        {"key": (dimension, "text"), **UNTIL},
        key="escalated-until",
        title=lambda got: _most_often(dimension, with_rates(got)),
        runs=lambda got: int(got.total("escalated")),
        note=f"What came before, on average over the escalated runs of each {dimension}. Click a row for its runs.",
        rows=with_rates,
        opens=lambda row: open_share(context, dimension, str(row["key"]), "escalated"),
    )


def with_rates(got: Answer) -> list[dict[str, Any]]:
    """The rows of escalations_by with escalated runs, and their share of those that ended.

    A run may have escalated and not have ended yet.
    """
    return [
        {**row, "escalation_rate": row["escalated"] / row["ended"] if row["ended"] else None}
        for row in got.rows
        if row["escalated"]
    ]


def _most_often(dimension: str, rows: Sequence[Mapping[str, Any]]) -> str:
    most = rows[0]
    iterations = formatting.plural(most["mean_iterations"], "iteration")
    price = f" and {formatting.usd(most['mean_cost_usd'])}" if most["mean_cost_usd"] is not None else ""
    whose = f"{dimension.capitalize()} {most['key']}" if most["key"] else f"No {dimension}"
    return f"{whose}: {formatting.plural(most['escalated'], 'run')} escalated, on average after {iterations}{price}"


def _split(rows: Any) -> list[dict[str, Any]]:
    return [
        {"bucket": row["bucket"], "outcome": name, "runs": runs}
        for row in rows
        for name, runs in (("escalated", row["escalated"]), ("not escalated", row["runs"] - row["escalated"]))
        if runs
    ]


def _reasons(context: Context, answer: Any) -> None:
    panels.chart_panel(
        context,
        answer,
        key="escalation-reasons",
        title=lambda got: f"Most often: {_sums(got.rows, 'reason', NO_REASON)[0]['reason']}",
        runs=panels.summed,
        note="Escalated, by reason. Click a bar for its runs.",
        chart=lambda got: bars.ranked(
            _sums(got.rows, "reason", NO_REASON)[:10],
            label="reason",
            value="runs",
            unit="runs",
            title="escalated runs",
            colour=palette.ORANGE,
            selection=panels.click("key"),
        ),
        opens=lambda point: _open(context, "escalation_reason", str(point["key"])),
    )


def _last_tools(context: Context, answer: Any) -> None:
    panels.chart_panel(
        context,
        answer,
        key="escalation-last-tools",
        title=lambda got: f"Most often after {_sums(got.rows, 'last_tool', NO_TOOL)[0]['last_tool']}",
        runs=panels.summed,
        note="Escalated, by the last tool called before. Click a bar for its runs.",
        chart=lambda got: bars.ranked(
            _sums(got.rows, "last_tool", NO_TOOL)[:10],
            label="last_tool",
            value="runs",
            unit="runs",
            title="escalated runs",
            colour=palette.ORANGE,
            selection=panels.click("key"),
        ),
        opens=lambda point: _open(context, "last_tool", str(point["key"])),
    )


def _open(context: Context, field: str, value: str) -> None:
    known = "" if value in {NO_REASON, NO_TOOL} else value
    links.open_runs(context, links.condition(field, known), outcome="escalated")


def _sums(rows: Any, column: str, missing: str) -> list[dict[str, Any]]:
    named = [{**row, column: row[column] or missing} for row in rows]
    return [{column: name, "runs": int(runs)} for name, runs in sums.by_key(named, column, "runs").items()]


def _list(context: Context, answer: Any) -> None:
    panels.table_panel(
        context,
        answer,
        LISTED,
        key="escalations",
        title=lambda got: f"The latest {formatting.plural(len(got.rows), 'escalated run')}",
        runs=lambda got: len(got.rows),
        note="Click a row to open the run at the moment it gave up.",
        opens=lambda row: links.open_run(context, row["run_id"], at="escalation"),
    )
