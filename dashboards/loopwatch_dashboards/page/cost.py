"""Cost: who and what it goes to, how it is spread, what caching saves, and what the month will come to."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import streamlit as st

from loopwatch_dashboards import caching, choices, formatting, frame, links, panels, states, sums, tiles
from loopwatch_dashboards.api import NO_ANSWER, Answer
from loopwatch_dashboards.charts import bars, histograms, palette, timeline
from loopwatch_dashboards.context import Context
from loopwatch_dashboards.view import FILTERS, Window

MAX_CUSTOMERS = 100  # what an address has room for
FORECAST_STEP_SECONDS = 60
FORECAST_FROM = timedelta(weeks=8)
SECTIONS = {"shares": "Where it goes", "dearest": "Most expensive", "caching": "Caching and prices"}
DIMENSIONS = {
    "model": "model",
    "agent": "agent",
    "version": "version",
    "customer": "customer",
    "tool": "tool",
    "environment": "environment",
    "user": "user",
    "token_kind": "kind of token",
    "prompt_version": "prompt version",
    "outcome": "outcome",
}
TOP_RUNS = {
    "start_time": ("started", "time"),
    "agent": ("agent", "text"),
    "outcome": ("outcome", "outcome"),
    "iterations": ("iterations", "count"),
    "total_tokens": ("tokens", "tokens"),
    "cost_usd": ("cost", "usd"),
}
CONVERSATIONS = {
    "key": ("conversation", "text"),
    "runs": ("runs", "runs"),
    "model_calls": ("model calls", "calls"),
    "cost_usd": ("cost", "usd"),
}
OUTLIERS = {
    "start_time": ("started", "time"),
    "agent": ("agent", "text"),
    "outcome": ("outcome", "outcome"),
    "iterations": ("iterations", "count"),
    "cost_usd": ("cost", "usd"),
    "times_median": ("× usual", "times"),
}
# Of what a run may have none, and the filter language can say so.
NAMELESS_CONDITIONS = frozenset({*FILTERS, "user", "prompt_version"})


def cost() -> None:
    """The Cost page."""
    frame.page("Cost", _body)


def _body(context: Context) -> None:
    summary, before = context.ask("cost_summary"), context.ask_before("cost_summary")
    section = choices.asked(SECTIONS, param="show", context=context)
    draw = {"dearest": _ask_dearest, "caching": caching.ask}.get(section, _ask_shares)(context)
    later = context.after(summary)
    savings, month = later.ask("cache_savings"), _ask_forecast(later)
    repriced = context.collector.ask("/api/v1/reprice")
    _tiles(context, states.awaited(summary).first, states.spared(before, NO_ANSWER).first)
    late = st.container(key="late-tiles")
    choices.choice("Show", SECTIONS, param="show", context=context)
    draw()
    with late:
        spent, earlier = summary.result().first, states.spared(before, NO_ANSWER).first
        saved, foretold = states.spared(savings, NO_ANSWER), states.spared(month, NO_ANSWER)
        _late_tiles(context, spent, earlier, saved, foretold)
        caching.repricing(context, states.spared(repriced, {"days": (), "under_way": False}))


def _ask_shares(context: Context) -> Callable[[], None]:
    dimension = choices.asked(DIMENSIONS, param="by", context=context)
    over_time = context.ask_over_time("cost_over_time", dimension=dimension)
    later = context.after(over_time)
    totals, distribution = later.ask("cost_by", dimension=dimension), later.ask("cost_distribution")
    concentration = later.ask("concentration", dimension="customer")

    def draw() -> None:
        choices.choice("Split by", DIMENSIONS, param="by", context=context)
        left, right = st.columns([3, 2])
        with left:
            _over_time(context, over_time, dimension)
        with right:
            _by(context, totals, dimension)
        panels.rows_of_two(lambda: _distribution(context, distribution), lambda: _concentration(context, concentration))

    return draw


def _ask_dearest(context: Context) -> Callable[[], None]:
    top_runs, outliers = context.ask("cost_top_runs", limit=50), context.ask("cost_outliers", limit=50)
    conversations = context.ask("cost_by", dimension="conversation", limit=50)

    def draw() -> None:
        panels.rows_of_two(lambda: _top_runs(context, top_runs), lambda: _conversations(context, conversations))
        _outliers(context, outliers)

    return draw


def _ask_forecast(context: Context) -> Any:
    """The month foretold, from eight weeks before it; whatever the view, a forecast is about this month."""
    now = datetime.now(UTC)
    month = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return context.ask_within(Window(month - FORECAST_FROM, now).rounded(FORECAST_STEP_SECONDS), "cost_forecast")


def _tiles(context: Context, now: Mapping[str, Any], before: Mapping[str, Any]) -> None:
    def of(column: str, label: str, note: str) -> tiles.Tile:
        delta = formatting.change(now.get(column), before.get(column)) if before.get("runs") else None
        return tiles.Tile(label, formatting.usd(now.get(column)), note, delta, "down")

    tiles.show(
        context,
        of("cost_usd", "Cost", "Each model call counted once."),
        of("mean_cost_usd", "Mean of a run", "Over the runs whose calls have a price."),
        of("p95_cost_usd", "p95 of a run", "95 of 100 runs cost less."),
        of(
            "cost_per_completed_usd",
            "Per completed run",
            "All cost, that of failed and escalated runs too, by completed run.",
        ),
    )


def _late_tiles(
    context: Context, now: Mapping[str, Any], before: Mapping[str, Any], savings: Answer, month: Answer
) -> None:
    """What takes longer to find out than the first chart."""
    saved = savings.total("saved_usd") if savings.rows else None
    tiles.show(
        context,
        forecast_tile(month.first),
        tiles.Tile(
            "Cache hit rate",
            formatting.ratio(now.get("cache_hit_rate")),
            "Input tokens read from the cache.",
            formatting.points(now.get("cache_hit_rate"), before.get("cache_hit_rate")),
            "up",
        ),
        tiles.Tile(
            "Saved by caching",
            formatting.usd(saved),
            "Against paying what was read as input; writing to the cache is taken off.",
        ),
        tiles.Tile(
            "Tokens without a price",
            formatting.count(now.get("unpriced_tokens")),
            "Of models without a price; not in the cost.",
        ),
    )


def forecast_tile(row: Mapping[str, Any]) -> tiles.Tile:
    """What the month will have cost at its end, beside what is spent of it, from a row of cost_forecast."""
    if not row:
        return tiles.Tile("This month", formatting.NOTHING, "The collector is too busy to foretell it.")
    if row.get("expected_usd") is None:
        return tiles.Tile("This month", formatting.usd(row.get("spent_usd")), "A forecast needs three whole days.")
    between = f"{formatting.usd(row['low_usd'])} to {formatting.usd(row['high_usd'])}"
    note = (
        f"{formatting.usd(row['spent_usd'])} so far. 95 of 100 months end between {between}, foretold from "
        f"{formatting.plural(row['days'], 'day')}."
    )
    return tiles.Tile("This month, expected", formatting.usd(row["expected_usd"]), note, between)


def _over_time(context: Context, answer: Any, dimension: str) -> None:
    def colours(rows: Any) -> dict[str, str]:
        keys = sums.ranked(rows, "key", "cost_usd")
        if dimension == "token_kind":
            return palette.TOKEN_KINDS | {kind: colour for kind, colour in palette.OTHER_COSTS.items() if kind in keys}
        return dict(palette.OUTCOMES) if dimension == "outcome" else palette.series(keys)

    panels.chart_panel(
        context,
        answer,
        key=f"cost-over-time-{dimension}",
        title=lambda got: f"{formatting.usd(got.total('cost_usd'))} by {DIMENSIONS[dimension]}",
        runs=panels.in_view(context),
        note="Cost in USD by the run's start. Click a bar for its runs.",
        is_empty=lambda got: not any(row["cost_usd"] for row in got.rows),
        nothing=panels.NO_PRICE,
        chart=lambda got: timeline.stacked(
            (folded := sums.folded(got.rows, "key", "cost_usd")),
            key="key",
            value="cost_usd",
            unit="usd",
            title="cost (USD)",
            colours=colours(folded),
            window=context.window,
            zone=context.zone,
            selection=panels.click("bucket", "key"),
        ),
        opens=lambda point: links.open_bucket(
            context, point, narrowing(dimension, str(point["key"])), **_filter(dimension, str(point["key"]))
        ),
    )


def _filter(dimension: str, value: str) -> dict[str, str]:
    if value in {palette.OTHERS, palette.NAMELESS, ""}:
        return {}
    return {dimension: value} if dimension in FILTERS or dimension in {"outcome", "conversation"} else {}


def narrowing(dimension: str, value: str) -> str:
    """What narrows runs to a mark where no filter does: the user, the prompt's version, a tool that was called."""
    if value in {palette.OTHERS, "(no tool)"}:
        return ""
    if value in {"", palette.NAMELESS}:
        return links.condition(dimension, "") if dimension in NAMELESS_CONDITIONS else ""
    if dimension == "tool":
        return links.called(value)
    return links.condition(dimension, value) if dimension in {"user", "prompt_version"} else ""


def _by(context: Context, answer: Any, dimension: str) -> None:
    def top(got: Answer) -> list[dict[str, Any]]:
        return sorted(got.rows, key=lambda row: -(row["cost_usd"] or 0))[:9]

    panels.chart_panel(
        context,
        answer,
        key=f"cost-by-{dimension}",
        title=lambda got: _share_fact(top(got), got.total("cost_usd"), DIMENSIONS[dimension]),
        runs=panels.in_view(context),
        note="The dearest nine. Click a bar for its runs.",
        is_empty=lambda got: not any(row["cost_usd"] for row in got.rows),
        nothing=panels.NO_PRICE,
        chart=lambda got: bars.ranked(
            [{**row, "key": row["key"] or palette.NAMELESS} for row in top(got)],
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
        opens=lambda point: links.open_runs(
            context, narrowing(dimension, str(point["key"])), **_filter(dimension, str(point["key"]))
        ),
    )


def _share_fact(rows: list[dict[str, Any]], total: Any, name: str) -> str:
    if not rows or not total or rows[0]["cost_usd"] is None:
        return f"Cost by {name}"
    return f"{rows[0]['key'] or palette.NAMELESS} takes {formatting.ratio(rows[0]['cost_usd'] / total)}"


def _distribution(context: Context, answer: Any) -> None:
    panels.chart_panel(
        context,
        answer,
        key="cost-distribution",
        title=lambda got: f"The most frequent cost of a run: {_mode(got)}",
        runs=panels.summed,
        note="By cost, in steps of a quarter of a power of ten. Click a bar for its runs.",
        chart=lambda got: histograms.histogram(
            got.rows,
            low="low_usd",
            high="high_usd",
            weight="runs",
            unit="usd",
            title="cost of a run (log)",
            weight_title="runs",
            selection=panels.click("low", "high"),
        ),
        opens=lambda point: links.open_runs(context, f"cost >= {point['low']:.12f} and cost < {point['high']:.12f}"),
        nothing=panels.NO_PRICE,
    )


def _mode(answer: Answer) -> str:
    row = max(answer.rows, key=lambda one: one["runs"])
    return f"{formatting.usd(row['low_usd'])} to {formatting.usd(row['high_usd'])}"


def _concentration(context: Context, answer: Any) -> None:
    panels.chart_panel(
        context,
        answer,
        key="concentration",
        title=_concentration_fact,
        runs=panels.in_view(context),
        note="Share of the cost taken by the dearest customers. Click a bar for their runs.",
        chart=lambda got: bars.ranked(
            [
                {**row, "name": f"top {row['top_share'] * 100:.0f} % ({formatting.plural(row['keys'], 'customer')})"}
                for row in got.rows
            ],
            label="name",
            value="cost_share",
            unit="ratio",
            title="share of the cost",
            details={"cost_usd": ("cost", "usd"), "token_share": ("share of tokens", "ratio")},
            selection=panels.click("key"),
        ),
        is_empty=lambda got: not any(row["cost_share"] for row in got.rows),
        nothing=panels.NO_PRICE,
        opens=lambda point: _open_dearest(context, str(point["key"])),
    )


def _open_dearest(context: Context, bar: str) -> None:
    """Opens the runs of the dearest customers, as many as the bar named "top 5 % (8 customers)" stands for."""
    customers = int(bar.partition("(")[2].partition(" ")[0].replace(",", ""))
    dearest = context.ask("cost_by", dimension="customer", limit=min(customers, MAX_CUSTOMERS)).result()
    links.open_runs(context, links.any_of("customer", [str(row["key"]) for row in dearest.rows]))


def _concentration_fact(answer: Answer) -> str:
    row = next((one for one in answer.rows if one["top_share"] >= 0.1), answer.first)
    return f"The top {row['top_share'] * 100:.0f} % of customers take {formatting.ratio(row['cost_share'])} of the cost"


def _top_runs(context: Context, answer: Any) -> None:
    panels.table_panel(
        context,
        answer,
        TOP_RUNS,
        key="top-runs",
        title=lambda got: f"The dearest run cost {formatting.usd(got.first['cost_usd'])}",
        runs=panels.in_view(context),
        note="Click a row to open the run.",
        opens=lambda row: links.open_run(context, row["run_id"]),
    )


def _conversations(context: Context, answer: Any) -> None:
    panels.table_panel(
        context,
        answer,
        CONVERSATIONS,
        key="top-conversations",
        title=lambda got: (
            f"The dearest conversation cost {formatting.usd(max((r['cost_usd'] or 0) for r in got.rows if r['key']))}"
        ),
        runs=panels.in_view(context),
        note="Click a row for its runs.",
        rows=lambda got: [row for row in got.rows if row["key"]],
        opens=lambda row: links.open_runs(context, conversation=str(row["key"])),
    )


def _outliers(context: Context, answer: Any) -> None:
    panels.table_panel(
        context,
        answer,
        OUTLIERS,
        key="cost-outliers",
        title=lambda got: (
            f"{'At least ' if got.next_cursor else ''}{formatting.plural(len(got.rows), 'run')} "
            "cost over five times the usual"
        ),
        runs=panels.in_view(context),
        note="Usual: the median of the agent's runs. Click a row to open the run.",
        nothing="No run cost over five times its agent's median.",
        opens=lambda row: links.open_run(context, row["run_id"]),
    )
