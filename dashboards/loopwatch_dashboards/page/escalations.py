"""Escalations: how often agents hand over, why, after what, and at what price."""

from typing import Any

import streamlit as st

from loopwatch_dashboards import formatting, frame, panels
from loopwatch_dashboards.charts import bars, palette, timeline
from loopwatch_dashboards.context import Context

LISTED = {
    "time": ("time", "time"),
    "agent": ("agent", "text"),
    "version": ("version", "text"),
    "customer_id": ("customer", "text"),
    "reason": ("reason", "sentence"),
    "priority": ("priority", "text"),
    "last_tool": ("last tool", "text"),
    "iterations": ("iterations", "count"),
    "cost_usd": ("cost", "usd"),
}


def escalations() -> None:
    """The Escalations page."""
    frame.page("Escalations", _body)


def _body(context: Context) -> None:
    summary, before = context.ask("escalations_summary"), context.ask_before("escalations_summary")
    over_time = context.ask_over_time("escalations_over_time")
    reasons, listed = context.ask("escalation_reasons"), context.ask("escalations")
    now = summary.result().first
    _tiles(now, before.result().first)
    if not now.get("escalated"):
        st.info("No run was handed to a human in this time range.", icon=":material/thumb_up:")
        return
    _over_time(context, over_time)
    left, right = st.columns(2)
    with left:
        _reasons(context, reasons)
    with right:
        _last_tools(context, reasons)
    _list(context, listed)


def _tiles(now: Any, before: Any) -> None:
    delta = formatting.points(now.get("escalation_rate"), before.get("escalation_rate")) if before.get("runs") else None
    figures = (
        ("Escalated", formatting.count(now.get("escalated")), "Runs handed to a human.", None),
        (
            "Escalation rate",
            formatting.ratio(now.get("escalation_rate")),
            f"Of {formatting.plural(now.get('runs'), 'run')}.",
            delta,
        ),
        ("Iterations until then", formatting.count(now.get("mean_iterations")), "Mean over the escalated runs.", None),
        ("Cost until then", formatting.usd(now.get("mean_cost_usd")), "Mean over the escalated runs.", None),
    )
    for column, (label, value, note, change) in zip(st.columns(4), figures, strict=True):
        with column:
            panels.tile(label, value, delta=change, good="down", note=note)


def _over_time(context: Context, answer: Any) -> None:
    panels.chart_panel(
        context,
        answer,
        key="escalations-over-time",
        title=lambda got: (
            f"{formatting.count(got.total('escalated'))} of {formatting.plural(got.total('runs'), 'run')} escalated"
        ),
        note="Runs by start time. Click a bar for its runs.",
        chart=lambda got: timeline.stacked(
            _split(got.rows),
            key="outcome",
            value="runs",
            unit="runs",
            title="runs",
            colours={"escalated": palette.ORANGE, "not escalated": "#B4BDC7"},
            window=context.window,
            local=context.view.local,
            zone=context.zone,
            selection=panels.click("bucket", "key"),
        ),
        on_click=lambda point: panels.open_bucket(
            context, point, outcome="escalated" if point["key"] == "escalated" else ""
        ),
    )


def _split(rows: Any) -> list[dict[str, Any]]:
    return [
        {"bucket": row["bucket"], "outcome": name, "runs": runs}
        for row in rows
        for name, runs in (("escalated", row["escalated"]), ("not escalated", row["runs"] - row["escalated"]))
    ]


def _reasons(context: Context, answer: Any) -> None:
    panels.chart_panel(
        context,
        answer,
        key="escalation-reasons",
        title=lambda got: f"Most often: {_sums(got.rows, 'reason')[0]['reason']}",
        note="Escalated runs by reason.",
        chart=lambda got: bars.ranked(
            _sums(got.rows, "reason")[:12],
            label="reason",
            value="runs",
            unit="runs",
            title="escalated runs",
            colour=palette.ORANGE,
        ),
        nothing="No reason was recorded.",
    )


def _last_tools(context: Context, answer: Any) -> None:
    panels.chart_panel(
        context,
        answer,
        key="escalation-last-tools",
        title=lambda got: f"Most often after {_sums(got.rows, 'last_tool')[0]['last_tool']}",
        note="Escalated runs by the last tool called before.",
        chart=lambda got: bars.ranked(
            _sums(got.rows, "last_tool")[:12],
            label="last_tool",
            value="runs",
            unit="runs",
            title="escalated runs",
            colour=palette.ORANGE,
        ),
    )


def _sums(rows: Any, column: str) -> list[dict[str, Any]]:
    sums: dict[str, int] = {}
    for row in rows:
        name = str(row[column] or "none")
        sums[name] = sums.get(name, 0) + row["runs"]
    return [{column: name, "runs": runs} for name, runs in sorted(sums.items(), key=lambda item: -item[1])]


def _list(context: Context, answer: Any) -> None:
    with st.container(border=True):
        rows = answer.result().rows
        st.markdown("**Escalated runs**")
        st.caption("Click a row to open the run where it gave up.")
        panels.table(
            context,
            rows,
            LISTED,
            key="escalations",
            opens=lambda row: panels.open_run(context, row["run_id"], at="escalation"),
        )
