"""Charts that compare: ranked bars, rates with intervals, spreads of durations."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from loopwatch_dashboards import formatting
from loopwatch_dashboards.charts import axes, palette
from loopwatch_dashboards.charts import rows as placed
from loopwatch_dashboards.charts.data import data
from loopwatch_dashboards.charts.timeline import axis_unit
from loopwatch_dashboards.text import one_line

HOVER_CHARACTERS = 400
Rows = Sequence[Mapping[str, Any]]


def ranked(
    rows: Rows,
    *,
    label: str,
    value: str,
    unit: str,
    title: str,
    colour: str = palette.ACCENT,
    details: Mapping[str, tuple[str, str]] | None = None,
    selection: alt.Parameter | None = None,
) -> alt.Chart:
    """Horizontal bars, largest first, each with its number written beside it.

    Args:
        rows: one per bar; a row whose value is unknown is left out.
        label: the column that names a bar.
        value: the column of its length.
        unit: the value's unit as the API names it.
        title: the horizontal axis.
        colour: the bars' colour.
        details: further columns of the hover text: column -> (label, unit).
        selection: a click selection to attach.

    Returns:
        The chart, as high as its rows need.
    """
    known = [row for row in rows if row[value] is not None]
    places = placed.of([str(row[label]) for row in known], bar_px=16)
    values = [
        {
            **places.at(number),
            "key": str(row[label]),
            "name": one_line(str(row[label]), HOVER_CHARACTERS),
            "zero": 0,
            "amount": row[value] / 1e9 if unit == "ns" else row[value],
            "said": formatting.of_unit(row[value], unit),
            **{f"d_{name}": formatting.of_unit(row[name], its) for name, (_, its) in (details or {}).items()},
        }
        for number, row in enumerate(known)
    ]
    base = alt.Chart(data(values)).encode(
        tooltip=axes.hover(
            ("name", label.replace("_", " ")),
            ("said", title),
            *((f"d_{name}", said) for name, (said, _) in (details or {}).items()),
        ),
    )
    x = axes.amount("amount", title, axis_unit(unit), domain=axes.headroom([row["amount"] for row in values], 0.3))
    bars = _bars(base, colour).encode(x=x, x2=alt.X2("zero"), **_from_bar_to_end(places))
    written = _written(base, "said", 5).encode(x=alt.X("amount:Q"), y=places.y("middle"))
    return axes.framed(alt.layer(*clickable(selection, bars, written)), places.height)


def rates(
    rows: Rows,
    *,
    label: str,
    title: str,
    rate: str = "error_rate",
    low: str = "error_rate_low",
    high: str = "error_rate_high",
    events: str = "errors",
    trials: str = "calls",
    colour: str = palette.VERMILION,
    selection: alt.Parameter | None = None,
) -> alt.Chart:
    """Shares with their 95 % interval, so that 1 of 2 does not look like 500 of 1000.

    Args:
        rows: one per bar.
        label: the column that names a bar.
        title: the horizontal axis.
        rate: the share, 0..1.
        low: the interval's lower end.
        high: its upper end.
        events: how many the share counts.
        trials: out of how many.
        colour: the bars' colour.
        selection: a click selection to attach.

    Returns:
        The chart.
    """
    places = placed.of([str(row[label]) for row in rows], bar_px=14)
    values = [
        {
            **places.at(number),
            "key": str(row[label]),
            "name": one_line(str(row[label]), HOVER_CHARACTERS),
            "zero": 0,
            "rate": row[rate] or 0,
            "low": row[low] or 0,
            "high": row[high] or 0,
            "said": ", ".join(
                (formatting.ratio(row[rate]), f"{formatting.count(row[events])} of {formatting.count(row[trials])}")
            ),
            "interval": f"{formatting.ratio(row[low])} to {formatting.ratio(row[high])}",
        }
        for number, row in enumerate(rows)
    ]
    base = alt.Chart(data(values)).encode(
        tooltip=axes.hover(("name", label.replace("key", "name")), ("said", title), ("interval", "95 % interval")),
    )
    x = axes.amount("rate", title, "ratio", domain=axes.headroom([row["high"] for row in values], 0.9))
    bars = _bars(base, colour, 0.85).encode(x=x, x2=alt.X2("zero"), **_from_bar_to_end(places))
    whiskers = base.mark_rule(strokeWidth=2, color=palette.GREY).encode(
        x=alt.X("low:Q"), x2=alt.X2("high"), y=places.y("middle")
    )
    written = _written(base, "said", 6).encode(x=alt.X("high:Q"), y=places.y("middle"))
    return axes.framed(alt.layer(*clickable(selection, bars, whiskers, written)), places.height)


def with_interval(row: Mapping[str, Any], events: str, trials: str) -> dict[str, Any]:
    """A row with `rate`, `low` and `high`: a share and Wilson's 95 % interval.

    The formula is in Wilson, E. B. (1927), Probable inference, the law of succession, and statistical inference.

    Args:
        row: what to add to.
        events: the column that counts what the share is of.
        trials: the column with out of how many; above zero.
    """
    n, share, z = row[trials], row[events] / row[trials], 1.959964
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return {**row, "rate": share, "low": max(0.0, middle - half), "high": min(1.0, middle + half)}


def spreads(rows: Rows, *, label: str, title: str, selection: alt.Parameter | None = None) -> Any:
    """From p50 to p99 of a duration, with p95 marked, on a logarithmic axis.

    Args:
        rows: one per bar, with p50_, p95_, p99_ and max_duration_ns and calls.
        label: the column that names a bar.
        title: the horizontal axis.
        selection: a click selection to attach.

    Returns:
        The chart.
    """
    places = placed.of([str(row[label]) for row in rows], bar_px=12)
    values = [
        {
            **places.at(number),
            "key": str(row[label]),
            "name": one_line(str(row[label]), HOVER_CHARACTERS),
            **{part: max(row[f"{part}_duration_ns"] or 0, 1000) / 1e9 for part in ("p50", "p95", "p99")},
            **{
                f"said_{part}": formatting.duration(row[f"{part}_duration_ns"]) for part in ("p50", "p95", "p99", "max")
            },
            "calls": formatting.count(row["calls"]),
        }
        for number, row in enumerate(rows)
    ]
    base = alt.Chart(data(values)).encode(
        tooltip=axes.hover(
            ("name", label.replace("key", "tool")),
            ("said_p50", "p50"),
            ("said_p95", "p95"),
            ("said_p99", "p99"),
            ("said_max", "longest"),
            ("calls", "calls"),
        ),
    )
    low = min((row["p50"] for row in values), default=0.001) * 0.8
    high = max((row["p99"] for row in values), default=1) * 12
    span = base.mark_rect(color=palette.SKY, cornerRadius=3).encode(
        x=axes.amount("p50", f"{title} (log)", "seconds", domain=[low, high], log=True),
        x2=alt.X2("p99"),
        **_from_bar_to_end(places),
    )
    mark = base.mark_tick(color=palette.BLUE, thickness=3, size=16, orient="vertical").encode(
        x=alt.X("p95:Q"), y=places.y("middle")
    )
    written = _written(base, "said_p95", 6).encode(x=alt.X("p99:Q"), y=places.y("middle"))
    return axes.framed(alt.layer(*clickable(selection, span, mark, written)), places.height)


def clickable(selection: alt.Parameter | None, *layers: alt.Chart) -> list[alt.Chart]:
    """Layers that all take a click: an interval or a number lies on its bar, and would swallow it."""
    return [layer.add_params(selection) for layer in layers] if selection is not None else list(layers)


def _bars(base: alt.Chart, colour: str, opacity: float = 1) -> alt.Chart:
    return base.mark_rect(color=colour, opacity=opacity, cornerRadiusTopRight=2, cornerRadiusBottomRight=2)


def _from_bar_to_end(places: placed.Rows) -> dict[str, Any]:
    return {"y": places.y("bar"), "y2": alt.Y2("bar_end")}


def _written(base: alt.Chart, column: str, shift_px: int) -> alt.Chart:
    return base.mark_text(align="left", dx=shift_px, color=palette.GREY).encode(text=f"{column}:N")
