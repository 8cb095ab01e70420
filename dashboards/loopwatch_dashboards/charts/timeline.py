"""Charts over time."""

from collections.abc import Mapping, Sequence
from datetime import UTC, tzinfo
from typing import Any

import altair as alt

from loopwatch_dashboards import formatting
from loopwatch_dashboards.charts import axes, palette
from loopwatch_dashboards.charts.data import data
from loopwatch_dashboards.view import Window

HEIGHT = 225
Rows = Sequence[Mapping[str, Any]]


def epoch_ms(value: Any) -> float:
    """A bucket's time as Vega plots it."""
    moment = formatting.parse_time(value)
    if moment is None:
        raise ValueError(f"not a time: {value!r}")
    return moment.timestamp() * 1000


def _clock_text(epoch: float, zone: tzinfo) -> str:
    return formatting.time(epoch, zone)[:16]


def stacked(
    rows: Rows,
    *,
    key: str,
    value: str,
    unit: str,
    title: str,
    colours: Mapping[str, str],
    window: Window,
    zone: tzinfo = UTC,
    selection: alt.Parameter | None = None,
) -> alt.Chart:
    """Bars per bucket, stacked by a key.

    Args:
        rows: one per bucket and key; a bucket without a row had none.
        key: the column to stack by.
        value: the column to plot.
        unit: the value's unit as the API names it.
        title: the vertical axis.
        colours: a colour for each key, in stacking order from the bottom.
        window: what the time axis covers, whatever has data.
        zone: whose clock it shows.
        selection: a click selection to attach.

    Returns:
        The chart.
    """
    step_ms = window.step_seconds * 1000
    order = {name: position for position, name in enumerate(colours)}
    values = [
        {
            "bucket": (start := epoch_ms(row["bucket"])),
            "bucket_end": start + step_ms * 0.94,
            "key": str(row[key]),
            "name": str(row[key]) or palette.NAMELESS,
            "amount": row[value],
            "place": order.get(str(row[key]), len(order)),
            "when": _clock_text(start, zone),
            "said": formatting.of_unit(row[value], unit),
        }
        for row in rows
        if row[value] is not None
    ]
    chart = (
        alt.Chart(data(values))
        .mark_bar(orient="vertical")
        .encode(
            x=axes.clock("bucket", window, zone),
            x2=alt.X2("bucket_end"),
            y=axes.quantity(
                "amount", title, axis_unit(unit), top=axes.highest(values, "bucket", "amount"), is_stacked=True
            ),
            color=alt.Color(
                "key:N",
                scale=alt.Scale(domain=list(colours), range=list(colours.values())),
                legend=axes.legend(list(colours)) if len(colours) > 1 else None,
            ),
            order=alt.Order("place:Q"),
            tooltip=axes.hover(("when", "from"), ("name", key.replace("_", " ")), ("said", title)),
        )
    )
    if selection is not None:
        chart = chart.add_params(selection)
    return axes.framed(chart, HEIGHT + axes.legend_height(list(colours)))


def lines(
    rows: Rows,
    *,
    series: Mapping[str, str],
    unit: str,
    title: str,
    window: Window,
    zone: tzinfo = UTC,
    colours: Sequence[str],
    selection: alt.Parameter | None = None,
) -> alt.Chart:
    """One line per column; a bucket without a row is a gap, not a zero.

    Args:
        rows: one per bucket.
        series: column to label.
        unit: the unit of all columns.
        title: the vertical axis.
        window: what the time axis covers.
        zone: whose clock it shows.
        colours: one per series.
        selection: a click selection to attach to the points.

    Returns:
        The chart.
    """
    step_ms = window.step_seconds * 1000
    values = [point for column, label in series.items() for point in _points(rows, column, label, step_ms, unit, zone)]
    base = alt.Chart(data(values)).encode(
        x=axes.clock("bucket", window, zone),
        y=axes.quantity("amount", title, axis_unit(unit), top=max((point["amount"] for point in values), default=0)),
        color=alt.Color(
            "key:N",
            scale=alt.Scale(domain=list(series.values()), range=list(colours)),
            legend=axes.legend(list(series.values())),
        ),
        detail="stretch:N",
        tooltip=axes.hover(("when", "from"), ("key", "measure"), ("said", title)),
    )
    dots = base.mark_circle(size=36, opacity=1)
    if selection is not None:
        dots = dots.add_params(selection)
    return axes.framed(base.mark_line(strokeWidth=2) + dots, HEIGHT + axes.legend_height(list(series.values())))


def _points(rows: Rows, column: str, label: str, step_ms: float, unit: str, zone: tzinfo) -> list[dict[str, Any]]:
    """The points of one line; each unbroken stretch of buckets has a number of its own."""
    points: list[dict[str, Any]] = []
    stretch, last = 0, None
    known = sorted((epoch_ms(row["bucket"]), row[column]) for row in rows if row[column] is not None)
    for start, value in known:
        if last is not None and start - last > step_ms * 1.5:
            stretch += 1
        last = start
        points.append(
            {
                "bucket": start,
                "key": label,
                "amount": plotted(value, unit),
                "stretch": stretch,
                "when": _clock_text(start, zone),
                "said": formatting.of_unit(value, unit),
            }
        )
    return points


def plotted(value: Any, unit: str) -> Any:
    """A value as it is plotted: durations in seconds, all else as it is."""
    return value / 1e9 if unit == "ns" and value is not None else value


def axis_unit(unit: str) -> str:
    """The kind of axis for a unit of the API."""
    return {"ns": "seconds", "usd": "usd", "ratio": "ratio", "score": "score"}.get(unit, "count")
