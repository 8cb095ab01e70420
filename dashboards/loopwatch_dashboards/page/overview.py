"""Overview: is the fleet healthy, and has that changed?"""

from collections.abc import Mapping
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, NamedTuple

from loopwatch_dashboards import formatting, frame, links, navigation, panels, states, sums, tiles
from loopwatch_dashboards.api import NO_ANSWER, Answer
from loopwatch_dashboards.charts import bars, palette, timeline
from loopwatch_dashboards.context import Context
from loopwatch_dashboards.one_tool import failed_calls
from loopwatch_dashboards.pace import DAYS, pace
from loopwatch_dashboards.view import Window


class Figure(NamedTuple):
    """One tile: a column of runs_summary, how its change is read, and the page that explains it."""

    column: str
    label: str
    unit: str
    good: str
    page: str
    note: str
    params: Mapping[str, str] = MappingProxyType({})


FIGURES = (
    Figure("runs", "Runs", "runs", "neither", "runs", "Runs that started in this time range."),
    Figure("completion_rate", "Completed", "ratio", "up", "quality", "Completed runs, of those that ended."),
    Figure("escalation_rate", "Escalated", "ratio", "down", "escalations", "Handed to a human, of those that ended."),
    Figure(
        "failure_rate",
        "Failed",
        "ratio",
        "down",
        "runs",
        "Ended by an exception, of those that ended.",
        {"outcome": "failed"},
    ),
    Figure("tool_error_rate", "Tool errors", "ratio", "down", "tools", "Tool calls that failed, of all tool calls."),
    Figure("cost_usd", "Cost", "usd", "down", "cost", "Each model call counted once; unpriced tokens are not in it."),
    Figure("total_tokens", "Tokens", "tokens", "neither", "cost", "Input, cached input included, and output."),
    Figure("p50_duration_ns", "p50 duration", "ns", "down", "runs", "Half of the runs took less."),
    Figure("p95_duration_ns", "p95 duration", "ns", "down", "runs", "95 of 100 runs took less."),
)

AGENTS = {
    "key": ("agent", "text"),
    "runs": ("runs", "runs"),
    "completion_rate": ("completed", "ratio"),
    "escalation_rate": ("escalated", "ratio"),
    "failure_rate": ("failed", "ratio"),
    "stopped": ("stopped", "runs"),
    "at_cap": ("at the cap", "runs"),
    "looping": ("looping", "runs"),
    "p95_duration_ns": ("p95 duration", "ns"),
}


def overview() -> None:
    """The Overview page."""
    frame.page("Overview", _body)


def _body(context: Context) -> None:
    summary, before = context.ask("runs_summary"), context.ask_before("runs_summary")
    outcomes = context.ask_over_time("runs_over_time")
    later = context.after(outcomes)
    costs = later.ask_over_time("cost_over_time", dimension="model")
    tokens = later.ask_over_time("tokens_over_time")
    hours = _ask_pace(later)
    tool_calls = later.ask("tool_summary")
    agents = later.ask("outcomes_by", dimension="agent")
    now, earlier = states.awaited(summary).first, states.spared(before, NO_ANSWER).first
    kept = _tiles(context, _with_rates(now), _with_rates(earlier), has_hour=hours is not None)
    panels.rows_of_two(
        lambda: _outcomes(context, outcomes),
        lambda: _costs(context, costs),
        lambda: _tokens(context, tokens),
        lambda: _tools(context, tool_calls),
    )
    _agents(context, agents)
    if hours and (hour := _pace(hours)):
        with kept[0]:
            tiles.tile(context, hour)


def _with_rates(row: Mapping[str, Any]) -> dict[str, Any]:
    calls = row.get("tool_calls")
    return {**row, "tool_error_rate": row["tool_errors"] / calls if calls else None}


def _ask_pace(context: Context) -> "Future[Answer] | None":
    """Asks what each hour of the last days cost; only where the view ends now."""
    now = datetime.now(UTC)
    if context.window.end < now - timedelta(hours=1):
        return None
    days = Window(now.replace(minute=0, second=0, microsecond=0) - timedelta(days=DAYS + 1), context.window.end)
    return context.ask_within(days, "cost_over_time", step_seconds=3600, dimension="environment")


def _pace(hours: "Future[Answer]") -> tiles.Tile | None:
    """Cost of the last hour against the usual."""
    answer = states.spared(hours, NO_ANSWER)
    if answer is NO_ANSWER:
        return None
    got = pace(answer.rows, datetime.now(UTC))
    usual = f"usual for this hour: {formatting.usd(got.usual_usd)}" if got.days else "no earlier day to compare with"
    return tiles.Tile(
        "Cost, last full hour",
        formatting.usd(got.cost_usd),
        f"From {got.hour:%H:%M} UTC on; {usual}, the median of the same hour on {formatting.plural(got.days, 'day')}.",
        formatting.change(got.cost_usd, got.usual_usd),
        "down",
        "cost",
    )


def _tiles(context: Context, now: Mapping[str, Any], before: Mapping[str, Any], *, has_hour: bool) -> list[Any]:
    """The numbers; returns the place of the last hour's cost, where it is wanted: it takes longer to find out."""
    shown: list[tiles.Tile | None] = [
        tiles.Tile(
            figure.label,
            formatting.of_unit(now.get(figure.column), figure.unit),
            figure.note,
            change(figure, now, before),
            figure.good,
            figure.page,
            figure.params,
        )
        for figure in FIGURES
    ]
    kept = tiles.show(context, *shown[:6], *([None] if has_hour else []), *shown[6:], in_row=5)
    unpriced = now.get("unpriced_tokens") or 0
    if unpriced:
        label = f"{formatting.count(unpriced)} tokens have no price and are not in the cost"
        navigation.link(context, "cost", label, ":material/warning:")
    return kept


def change(figure: Figure, now: Mapping[str, Any], before: Mapping[str, Any]) -> str | None:
    """The change of a figure against the period before; None where that period had no runs."""
    if not before.get("runs"):
        return None
    compare = formatting.points if figure.unit == "ratio" else formatting.change
    return compare(now.get(figure.column), before.get(figure.column))


def _agents(context: Context, answer: Any) -> None:
    panels.table_panel(
        context,
        answer,
        AGENTS,
        key="agents",
        title=lambda got: f"{formatting.plural(len(got.rows), 'agent')} ran",
        runs=panels.summed,
        note="Click a row for its runs.",
        rows=lambda got: [with_shares(row) for row in sorted(got.rows, key=lambda row: -row["runs"])],
        opens=lambda row: links.open_runs(context, agent=str(row["key"])),
    )


def with_shares(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of outcomes_by with its rates, shares of the runs that ended."""
    ended = row["ended"]
    rates = {"completion_rate": "completed", "escalation_rate": "escalated", "failure_rate": "failed"}
    return {**row, **{rate: row[column] / ended if ended else None for rate, column in rates.items()}}


def _outcomes(context: Context, answer: Any) -> None:
    panels.chart_panel(
        context,
        answer,
        key="outcomes",
        title=_outcome_fact,
        runs=panels.summed,
        note="By outcome and start time. Click a bar for its runs.",
        chart=lambda got: timeline.stacked(
            got.rows,
            key="outcome",
            value="runs",
            unit="runs",
            title="runs",
            colours={name: colour for name, colour in palette.OUTCOMES.items() if _has(got, "outcome", name)},
            window=context.window,
            zone=context.zone,
            selection=panels.click("bucket", "key"),
        ),
        opens=lambda point: links.open_bucket(context, point, outcome=str(point["key"])),
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
        is_empty=lambda got: not any(row["cost_usd"] for row in got.rows),
        nothing=panels.NO_PRICE,
        title=lambda got: (
            f"{formatting.usd(got.total('cost_usd'))} on "
            + formatting.plural(len(sums.by_key(got.rows, "key", "cost_usd")), "model")
        ),
        runs=panels.in_view(context),
        note="Cost in USD by model. Click a bar for its runs.",
        chart=lambda got: timeline.stacked(
            got.rows,
            key="key",
            value="cost_usd",
            unit="usd",
            title="cost (USD)",
            colours=palette.series(sums.ranked(got.rows, "key", "cost_usd")),
            window=context.window,
            zone=context.zone,
            selection=panels.click("bucket", "key"),
        ),
        opens=lambda point: _open_model(context, point),
    )


def _open_model(context: Context, point: Mapping[str, Any]) -> None:
    model = str(point["key"])
    links.open_bucket(context, point, "" if model else links.condition("model", ""), model=model)


def _tokens(context: Context, answer: Any) -> None:
    panels.chart_panel(
        context,
        answer,
        key="tokens",
        title=_token_fact,
        runs=panels.in_view(context),
        note="Tokens by kind; input is what was neither read from nor written to the cache.",
        chart=lambda got: timeline.stacked(
            got.rows,
            key="token_kind",
            value="tokens",
            unit="tokens",
            title="tokens",
            colours=palette.TOKEN_KINDS,
            window=context.window,
            zone=context.zone,
            selection=panels.click("bucket"),
        ),
        opens=lambda point: links.open_bucket(context, point),
    )


def _token_fact(answer: Answer) -> str:
    kinds = sums.by_key(answer.rows, "token_kind", "tokens")
    total = sum(kinds.values())
    sent = total - kinds.get("output", 0)
    share = kinds.get("cache_read", 0) / sent if sent else 0
    return f"{formatting.count(int(total))} tokens, {formatting.ratio(share)} of the input read from the cache"


def _tools(context: Context, answer: Any) -> None:
    panels.chart_panel(
        context,
        answer,
        key="tools",
        title=failed_calls,
        runs=panels.in_view(context),
        note="The eight tools with most errors: share of calls that failed, with the 95 % interval. "
        "Click a bar for those runs.",
        chart=lambda got: bars.rates(
            sorted(got.rows, key=lambda row: -row["errors"])[:8],
            label="tool",
            title="share of calls that failed",
            selection=panels.click("key"),
        ),
        opens=lambda point: links.open_runs(context, links.failed(str(point["key"]))),
        nothing="No tool was called in this time range.",
    )


def _has(answer: Answer, column: str, value: str) -> bool:
    return any(row[column] == value for row in answer.rows)
