"""Overview: is the fleet healthy, and has that changed?"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import streamlit as st

from loopwatch_dashboards import formatting, frame, navigation, panels
from loopwatch_dashboards.api import Answer
from loopwatch_dashboards.charts import palette, timeline
from loopwatch_dashboards.context import Context


class Figure(NamedTuple):
    """One tile: a column of runs_summary, how its change is read, and the page that explains it."""

    column: str
    label: str
    unit: str
    good: str
    page: str
    note: str


FIGURES = (
    Figure("runs", "Runs", "runs", "neither", "runs", "Runs that started in this time range."),
    Figure("completion_rate", "Completed", "ratio", "up", "runs", "Completed runs out of those that ended."),
    Figure(
        "escalation_rate", "Escalated", "ratio", "down", "escalations", "Runs handed to a human, of those that ended."
    ),
    Figure(
        "failure_rate", "Failed", "ratio", "down", "runs", "Runs that ended with an exception, of those that ended."
    ),
    Figure("cost_usd", "Cost", "usd", "down", "cost", "Each model call counted once; unpriced tokens are not in it."),
    Figure("total_tokens", "Tokens", "tokens", "neither", "cost", "Input, cached input included, and output."),
    Figure("p50_duration_ns", "p50 duration", "ns", "down", "runs", "Half of the runs took less."),
    Figure("p95_duration_ns", "p95 duration", "ns", "down", "runs", "95 of 100 runs took less."),
)


def overview() -> None:
    """The Overview page."""
    frame.page("Overview", _body)


def _body(context: Context) -> None:
    summary, before = context.ask("runs_summary"), context.ask_before("runs_summary")
    outcomes = context.ask_over_time("runs_over_time")
    costs = context.ask_over_time("cost_over_time", dimension="model")
    tokens = context.ask_over_time("tokens_over_time")
    tools = context.ask("tool_summary")
    _tiles(context, summary.result().first, before.result().first)
    left, right = st.columns(2)
    with left:
        _outcomes(context, outcomes)
        _tokens(context, tokens)
    with right:
        _costs(context, costs)
        _tools(context, tools)


def _tiles(context: Context, now: Mapping[str, Any], before: Mapping[str, Any]) -> None:
    for figures in (FIGURES[:4], FIGURES[4:]):
        for column, figure in zip(st.columns(4), figures, strict=True):
            with column:
                value = now.get(figure.column)
                panels.tile(
                    figure.label,
                    formatting.of_unit(value, figure.unit),
                    delta=change(figure, now, before),
                    good=figure.good,
                    note=figure.note,
                )
    unpriced = now.get("unpriced_tokens") or 0
    if unpriced:
        navigation.link(
            context,
            "cost",
            f"{formatting.count(unpriced)} tokens have no price and are not in the cost",
            ":material/warning:",
        )


def change(figure: Figure, now: Mapping[str, Any], before: Mapping[str, Any]) -> str | None:
    """The change of a figure against the period before; None where that period had no runs."""
    if not before.get("runs"):
        return None
    compare = formatting.points if figure.unit == "ratio" else formatting.change
    return compare(now.get(figure.column), before.get(figure.column))


def _outcomes(context: Context, answer: Any) -> None:
    panels.chart_panel(
        context,
        answer,
        key="outcomes",
        title=lambda got: _outcome_fact(got),
        note="Runs by outcome and start time. Click a bar for its runs.",
        chart=lambda got: timeline.stacked(
            got.rows,
            key="outcome",
            value="runs",
            unit="runs",
            title="runs",
            colours={name: colour for name, colour in palette.OUTCOMES.items() if _has(got, "outcome", name)},
            window=context.window,
            local=context.view.local,
            zone=context.zone,
            selection=panels.click("bucket", "key"),
        ),
        on_click=lambda point: panels.open_bucket(context, point, outcome=str(point["key"])),
    )


def _outcome_fact(answer: Answer) -> str:
    runs = answer.total("runs")
    lost = sum(row["runs"] for row in answer.rows if row["outcome"] in {"failed", "stopped"})
    return f"{formatting.plural(runs, 'run')}, {formatting.count(lost)} failed or stopped"


def _costs(context: Context, answer: Any) -> None:
    panels.chart_panel(
        context,
        answer,
        key="cost",
        title=lambda got: (
            f"{formatting.usd(got.total('cost_usd'))} on {formatting.plural(len(panels.sums(got.rows, 'key', 'cost_usd')), 'model')}"
        ),
        note="Cost in USD by model. Click a bar for its runs.",
        chart=lambda got: timeline.stacked(
            got.rows,
            key="key",
            value="cost_usd",
            unit="usd",
            title="cost (USD)",
            colours=palette.series(panels.by_size(got.rows, "key", "cost_usd")),
            window=context.window,
            local=context.view.local,
            zone=context.zone,
            selection=panels.click("bucket", "key"),
        ),
        on_click=lambda point: panels.open_bucket(context, point, model=str(point["key"])),
    )


def _tokens(context: Context, answer: Any) -> None:
    panels.chart_panel(
        context,
        answer,
        key="tokens",
        title=_token_fact,
        note="Tokens by kind; input is what was neither read from nor written to the cache.",
        chart=lambda got: timeline.stacked(
            got.rows,
            key="token_kind",
            value="tokens",
            unit="tokens",
            title="tokens",
            colours=palette.TOKEN_KINDS,
            window=context.window,
            local=context.view.local,
            zone=context.zone,
            selection=panels.click("bucket"),
        ),
        on_click=lambda point: panels.open_bucket(context, point),
    )


def _token_fact(answer: Answer) -> str:
    kinds = panels.sums(answer.rows, "token_kind", "tokens")
    total = sum(kinds.values())
    sent = total - kinds.get("output", 0)
    share = kinds.get("cache_read", 0) / sent if sent else 0
    return f"{formatting.count(int(total))} tokens, {formatting.ratio(share)} of the input read from the cache"


def _tools(context: Context, answer: Any) -> None:
    panels.chart_panel(
        context,
        answer,
        key="tools",
        title=lambda got: tool_fact(got),
        note="Share of a tool's calls that ended in an error, with the 95 % interval.",
        chart=lambda got: panels.rates_chart(sorted(got.rows, key=lambda row: -row["errors"])[:8]),
        on_click=lambda point: navigation.go(context, "tools", tool=str(point["key"])),
        nothing="No tool was called in this time range.",
    )


def tool_fact(answer: Answer) -> str:
    """How many tool calls failed, of how many."""
    calls, errors = answer.total("calls"), answer.total("errors")
    share = formatting.ratio(errors / calls) if calls else formatting.NOTHING
    return f"{formatting.count(errors)} of {formatting.plural(calls, 'tool call')} failed ({share})"


def _has(answer: Answer, column: str, value: str) -> bool:
    return any(row[column] == value for row in answer.rows)
