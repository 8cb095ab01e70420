"""Cost: who and what it goes to, and the runs that took most of it."""

from typing import Any

import streamlit as st

from loopwatch_dashboards import formatting, frame, panels
from loopwatch_dashboards.charts import bars, palette, timeline
from loopwatch_dashboards.context import Context
from loopwatch_dashboards.view import FILTERS

DIMENSIONS = {
    "model": "model",
    "agent": "agent",
    "version": "version",
    "customer": "customer",
    "environment": "environment",
    "user": "user",
    "token_kind": "kind of token",
    "prompt_version": "prompt version",
}
TOP_RUNS = {
    "start_time": ("started", "time"),
    "agent": ("agent", "text"),
    "outcome": ("outcome", "text"),
    "iterations": ("iterations", "count"),
    "total_tokens": ("tokens", "tokens"),
    "cost_usd": ("cost", "usd"),
}


def cost() -> None:
    """The Cost page."""
    frame.page("Cost", _body)


def _body(context: Context) -> None:
    summary, before = context.ask("runs_summary"), context.ask_before("runs_summary")
    by_model = context.ask("cost_by", dimension="model")
    top_runs = context.ask("cost_top_runs")
    dimension = panels.choice("Split by", DIMENSIONS, param="by", context=context)
    over_time = context.ask_over_time("cost_over_time", dimension=dimension)
    totals = by_model if dimension in {"model", "token_kind"} else context.ask("cost_by", dimension=dimension)
    _tiles(summary.result().first, before.result().first, by_model.result())
    _over_time(context, over_time, dimension)
    left, right = st.columns(2)
    with left:
        _by(context, totals, "model" if dimension == "token_kind" else dimension)
    with right:
        _top_runs(context, top_runs)


def _tiles(now: Any, before: Any, by_model: Any) -> None:
    runs = now.get("runs")
    cost_usd = now.get("cost_usd")
    cached = sum(row["cache_read_tokens"] for row in by_model.rows)
    sent = sum(row["input_tokens"] for row in by_model.rows)
    delta = formatting.change(cost_usd, before.get("cost_usd")) if before.get("runs") else None
    per_run = cost_usd / runs if cost_usd is not None and runs else None
    for column, (label, value, note, change) in zip(
        st.columns(5),
        (
            ("Cost", formatting.usd(cost_usd), "Each model call counted once.", delta),
            ("Cost per run", formatting.usd(per_run), "Mean over all runs.", None),
            ("Tokens", formatting.count(now.get("total_tokens")), "Input, cached input included, and output.", None),
            (
                "Cache hit rate",
                formatting.ratio(cached / sent if sent else None),
                "Input tokens read from the cache.",
                None,
            ),
            (
                "Unpriced tokens",
                formatting.count(now.get("unpriced_tokens")),
                "Of models without a price; not in the cost.",
                None,
            ),
        ),
        strict=True,
    ):
        with column:
            panels.tile(label, value, delta=change, good="down", note=note)


def _over_time(context: Context, answer: Any, dimension: str) -> None:
    panels.chart_panel(
        context,
        answer,
        key=f"cost-over-time-{dimension}",
        title=lambda got: f"{formatting.usd(got.total('cost_usd'))} by {DIMENSIONS[dimension]}",
        note="Cost in USD over time. Click a bar for its runs.",
        chart=lambda got: timeline.stacked(
            (folded := panels.fold(got.rows, "key", "cost_usd")),
            key="key",
            value="cost_usd",
            unit="usd",
            title="cost (USD)",
            colours=palette.TOKEN_KINDS
            if dimension == "token_kind"
            else palette.series(panels.by_size(folded, "key", "cost_usd")),
            window=context.window,
            local=context.view.local,
            zone=context.zone,
            selection=panels.click("bucket", "key"),
        ),
        on_click=lambda point: panels.open_bucket(context, point, **_filter(dimension, str(point["key"]))),
    )


def _filter(dimension: str, value: str) -> dict[str, str]:
    return {dimension: value} if dimension in FILTERS and value != palette.OTHERS else {}


def _by(context: Context, answer: Any, dimension: str) -> None:
    def top(got: Any) -> list[dict[str, Any]]:
        return sorted(got.rows, key=lambda row: -(row["cost_usd"] or 0))[:15]

    panels.chart_panel(
        context,
        answer,
        key=f"cost-by-{dimension}",
        title=lambda got: _share_fact(top(got), got.total("cost_usd"), DIMENSIONS[dimension]),
        note="The fifteen dearest. Click a bar for its runs.",
        chart=lambda got: bars.ranked(
            top(got),
            label="key",
            value="cost_usd",
            unit="usd",
            title="cost (USD)",
            details={
                "runs": ("runs", "runs"),
                "model_calls": ("model calls", "calls"),
                "input_tokens": ("input tokens", "tokens"),
                "output_tokens": ("output tokens", "tokens"),
            },
            selection=panels.click("key"),
        ),
        on_click=lambda point: panels.open_runs(context, **_filter(dimension, str(point["key"]))),
    )


def _share_fact(rows: list[dict[str, Any]], total: Any, name: str) -> str:
    if not rows or not total or rows[0]["cost_usd"] is None:
        return f"Cost by {name}"
    return f"{rows[0]['key'] or 'none'} takes {formatting.ratio(rows[0]['cost_usd'] / total)} of the cost"


def _top_runs(context: Context, answer: Any) -> None:
    with st.container(border=True):
        rows = answer.result().rows
        st.markdown("**The most expensive runs**")
        st.caption("Click a row to open the run.")
        panels.table(context, rows, TOP_RUNS, key="top-runs", opens=lambda row: panels.open_run(context, row["run_id"]))
