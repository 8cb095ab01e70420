"""Charts of distributions: whole numbers, amounts, tenths, and stated confidence against verdicts."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from loopwatch_dashboards import formatting
from loopwatch_dashboards.charts import axes, palette
from loopwatch_dashboards.charts.data import data
from loopwatch_dashboards.charts.timeline import axis_unit

HEIGHT = 225
Rows = Sequence[Mapping[str, Any]]


def distribution(
    rows: Rows,
    *,
    value: str,
    weight: str,
    key: str,
    title: str,
    weight_title: str,
    colours: Mapping[str, str],
    selection: alt.Parameter | None = None,
) -> alt.Chart:
    """How many fall on each whole number, stacked by a key.

    Args:
        rows: any number of rows per whole number and key; they are summed.
        value: the column with the whole number.
        weight: how many the row stands for.
        key: the column to stack by.
        title: the horizontal axis.
        weight_title: the vertical axis.
        colours: a colour for each key, in stacking order.
        selection: a click selection to attach.

    Returns:
        The chart.
    """
    sums: dict[tuple[int, str], int] = {}
    for row in rows:
        place = (int(row[value]), str(row[key]))
        sums[place] = sums.get(place, 0) + row[weight]
    order = {name: position for position, name in enumerate(colours)}
    values = [
        {
            "number": number,
            "left": number - 0.45,
            "right": number + 0.45,
            "key": name,
            "amount": amount,
            "place": order.get(name, len(order)),
            "said": formatting.count(amount),
        }
        for (number, name), amount in sorted(sums.items())
    ]
    top = max((row["number"] for row in values), default=1)
    x = axes.amount("left", title, "count", domain=[-0.5 if _has_zero(values) else 0.4, top + 0.6])
    chart = (
        alt.Chart(data(values))
        .mark_bar(orient="vertical")
        .encode(
            x=x,
            x2=alt.X2("right"),
            y=axes.quantity(
                "amount", weight_title, "count", top=axes.highest(values, "number", "amount"), is_stacked=True
            ),
            color=alt.Color(
                "key:N",
                scale=alt.Scale(domain=list(colours), range=list(colours.values())),
                legend=axes.legend(list(colours)) if len(colours) > 1 else None,
            ),
            order=alt.Order("place:Q"),
            tooltip=axes.hover(("number", title), ("key", key), ("said", weight_title)),
        )
    )
    chart = chart.add_params(selection) if selection is not None else chart
    return axes.framed(chart, HEIGHT + axes.legend_height(list(colours)))


def histogram(
    rows: Rows,
    *,
    low: str,
    high: str,
    weight: str,
    unit: str,
    title: str,
    weight_title: str,
    selection: alt.Parameter | None = None,
) -> Any:
    """How many fall between two amounts, on a logarithmic axis.

    Args:
        rows: one per interval.
        low: the column with an interval's start, above zero.
        high: the column with its end.
        weight: how many fall in it.
        unit: the unit of the amounts.
        title: the horizontal axis.
        weight_title: the vertical axis.
        selection: a click selection to attach.

    Returns:
        The chart.
    """
    values = [
        {
            "low": row[low],
            "high": row[high],
            "amount": row[weight],
            "said": formatting.count(row[weight]),
            "between": f"{formatting.of_unit(row[low], unit)} to {formatting.of_unit(row[high], unit)}",
        }
        for row in rows
        if row[low] and row[high]
    ]
    domain = [min(row["low"] for row in values), max(row["high"] for row in values)] if values else None
    chart = (
        alt.Chart(data(values))
        .mark_bar(orient="vertical", color=palette.ACCENT, stroke="white", strokeWidth=0.5)
        .encode(
            x=axes.amount("low", title, axis_unit(unit), domain=domain, log=True),
            x2=alt.X2("high"),
            y=axes.quantity("amount", weight_title, "count", top=axes.highest(values, "low", "amount")),
            tooltip=axes.hover(("between", title), ("said", weight_title)),
        )
    )
    chart = chart.add_params(selection) if selection is not None else chart
    return axes.framed(chart, HEIGHT)


def tenths(rows: Rows, *, weight: str, title: str, weight_title: str, selection: alt.Parameter | None = None) -> Any:
    """How many fall in each tenth between 0 and 1.

    Args:
        rows: one per tenth, with `low`, its start.
        weight: how many fall in it.
        title: the horizontal axis.
        weight_title: the vertical axis.
        selection: a click selection to attach.

    Returns:
        The chart, from 0 to 1 whatever has data.
    """
    values = [
        {
            "tenth": row["low"],
            "low": row["low"] + 0.004,
            "high": row["low"] + 0.096,
            "amount": row[weight],
            "between": f"{row['low']:.1f} to {row['low'] + 0.1:.1f}",
            "said": formatting.count(row[weight]),
        }
        for row in rows
    ]
    chart = (
        alt.Chart(data(values))
        .mark_bar(orient="vertical", color=palette.ACCENT)
        .encode(
            x=axes.amount("low", title, "score", domain=[0, 1]),
            x2=alt.X2("high"),
            y=axes.quantity("amount", weight_title, "count", top=axes.highest(values, "low", "amount")),
            tooltip=axes.hover(("between", title), ("said", weight_title)),
        )
    )
    chart = chart.add_params(selection) if selection is not None else chart
    return axes.framed(chart, HEIGHT)


def calibration(rows: Rows, *, selection: alt.Parameter | None = None) -> Any:
    """Stated confidence against what verdicts say, with the line on which both agree.

    Args:
        rows: one per tenth of confidence, with low, mean_confidence, mean_verdict and decisions.
        selection: a click selection to attach.

    Returns:
        The chart, from 0 to 1 on both axes.
    """
    values = [
        {
            "tenth": row["low"],
            "confidence": row["mean_confidence"],
            "verdict": row["mean_verdict"],
            "decisions": row["decisions"],
            "said_confidence": f"{row['mean_confidence']:.2f}",
            "said_verdict": f"{row['mean_verdict']:.2f}",
            "said": formatting.count(row["decisions"]),
        }
        for row in rows
    ]
    line = alt.Chart(data([{"x": 0, "y": 0}, {"x": 1, "y": 1}])).mark_line(color=palette.GREY, strokeDash=[4, 4])
    agreed = line.encode(
        x=axes.amount("x", "stated confidence", "score", domain=[0, 1]),
        y=alt.Y("y:Q", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(title="mean verdict", tickCount=5, format=".3~r")),
    )
    points = (
        alt.Chart(data(values))
        .mark_circle(color=palette.BLUE, opacity=0.9)
        .encode(
            x=alt.X("confidence:Q"),
            y=alt.Y("verdict:Q"),
            size=alt.Size("decisions:Q", legend=None, scale=alt.Scale(range=[60, 500])),
            tooltip=axes.hover(
                ("said_confidence", "stated confidence"), ("said_verdict", "mean verdict"), ("said", "decisions")
            ),
        )
    )
    points = points.add_params(selection) if selection is not None else points
    return axes.framed(agreed + points, HEIGHT)


def _has_zero(values: Sequence[Mapping[str, Any]]) -> bool:
    return any(row["number"] == 0 for row in values)
