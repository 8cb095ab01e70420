"""Iterations: how often agents go round, where they hit the cap, and which runs to look at."""

from typing import Any

import streamlit as st

from loopwatch_dashboards import formatting, frame, panels
from loopwatch_dashboards.api import Answer
from loopwatch_dashboards.charts import bars, palette, timeline
from loopwatch_dashboards.context import Context

SPLITS = {"outcome": "outcome", "agent": "agent", "version": "version"}


def iterations() -> None:
    """The Iterations page."""
    frame.page("Iterations", _body)


def _body(context: Context) -> None:
    summary = context.ask("iterations_summary")
    distribution = context.ask("iteration_distribution")
    trend = context.ask_over_time("iteration_trend")
    got = summary.result().first
    _tiles(got)
    _distribution(context, distribution)
    _trend(context, trend)


def _tiles(got: Any) -> None:
    figures = (
        ("Mean", formatting.count(got.get("mean")), "Iterations per run, on average."),
        ("p50", formatting.count(got.get("p50")), "Half of the runs needed at most this many."),
        ("p95", formatting.count(got.get("p95")), "95 of 100 runs needed at most this many."),
        ("p99", formatting.count(got.get("p99")), "99 of 100 runs needed at most this many."),
        ("Max", formatting.count(got.get("max")), "The most any run needed."),
        ("At the cap", formatting.ratio(got.get("share_at_cap")), _cap_note(got)),
    )
    for column, (label, value, note) in zip(st.columns(len(figures)), figures, strict=True):
        with column:
            panels.tile(label, value, note=note)


def _cap_note(got: Any) -> str:
    return (
        f"{formatting.count(got.get('runs_at_cap'))} of {formatting.count(got.get('capped_runs'))} "
        "runs with a cap used every iteration it allows."
    )


def _distribution(context: Context, answer: Any) -> None:
    by = panels.choice("Split by", SPLITS, param="by", context=context)
    panels.chart_panel(
        context,
        answer,
        key="iteration-distribution",
        title=_distribution_fact,
        note="Runs by number of iterations. Click a bar for its runs.",
        chart=lambda got: bars.distribution(
            got.rows,
            value="iterations",
            weight="runs",
            key=by,
            title="iterations",
            weight_title="runs",
            colours=_colours(got, by),
            selection=panels.click("number", "key"),
        ),
        on_click=lambda point: panels.open_iterations(context, int(point["number"]), by, str(point["key"])),
    )


def _distribution_fact(answer: Answer) -> str:
    runs = answer.total("runs")
    middle, seen = 0, 0
    for row in sorted(answer.rows, key=lambda one: one["iterations"]):
        seen += row["runs"]
        middle = row["iterations"]
        if seen * 2 >= runs:
            break
    longest = max(row["iterations"] for row in answer.rows)
    return f"Half of {formatting.plural(runs, 'run')} took up to {middle} iterations, the longest {longest}"


def _colours(answer: Answer, by: str) -> dict[str, str]:
    present = list(dict.fromkeys(str(row[by]) for row in answer.rows))
    if by == "outcome":
        return {name: colour for name, colour in palette.OUTCOMES.items() if name in present}
    return palette.series(sorted(present))


def _trend(context: Context, answer: Any) -> None:
    panels.chart_panel(
        context,
        answer,
        key="iteration-trend",
        title=lambda got: "Iterations per run over time: mean and p95",
        note=lambda got: f"{formatting.plural(got.total('runs'), 'run')}; a time without runs is a gap in the line.",
        chart=lambda got: timeline.lines(
            got.rows,
            series={"mean": "mean", "p95": "p95"},
            unit="count",
            title="iterations per run",
            window=context.window,
            local=context.view.local,
            zone=context.zone,
            colours=(palette.BLUE, palette.ORANGE),
        ),
    )
