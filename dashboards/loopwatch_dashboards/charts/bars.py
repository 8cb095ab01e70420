"""Charts that compare: ranked bars, rates with intervals, distributions."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from loopwatch_dashboards import formatting
from loopwatch_dashboards.charts import axes, palette
from loopwatch_dashboards.text import one_line

ROW_HEIGHT = 26
HEIGHT = 240
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
    values = [
        {
            "name": one_line(str(row[label]), 80),
            "key": str(row[label]),
            "amount": row[value] / 1e9 if unit == "ns" else row[value],
            "said": formatting.of_unit(row[value], unit),
            **{f"d_{name}": formatting.of_unit(row[name], its) for name, (_, its) in (details or {}).items()},
        }
        for row in rows
        if row[value] is not None
    ]
    base = alt.Chart(alt.Data(values=values)).encode(
        y=_names(),
        x=axes.amount("amount", title, _axis_unit(unit), domain=axes.headroom([row["amount"] for row in values], 0.16)),
        tooltip=axes.hover(
            ("name", label.replace("_", " ")),
            ("said", title),
            *((f"d_{name}", said) for name, (said, _) in (details or {}).items()),
        ),
    )
    bars = base.mark_bar(color=colour, cornerRadiusEnd=2, size=16)
    if selection is not None:
        bars = bars.add_params(selection)
    return axes.framed(bars + _written(base), max(len(values), 1) * ROW_HEIGHT + 50)


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
        selection: a click selection to attach.

    Returns:
        The chart.
    """
    values = [
        {
            "name": one_line(str(row[label]), 80),
            "key": str(row[label]),
            "rate": row[rate] or 0,
            "low": row[low] or 0,
            "high": row[high] or 0,
            "said": ", ".join(
                (formatting.ratio(row[rate]), f"{formatting.count(row[events])} of {formatting.count(row[trials])}")
            ),
            "interval": f"{formatting.ratio(row[low])} to {formatting.ratio(row[high])}",
        }
        for row in rows
    ]
    base = alt.Chart(alt.Data(values=values)).encode(
        y=_names(), tooltip=axes.hover(("name", label), ("said", title), ("interval", "95 % interval"))
    )
    x = axes.amount("rate", title, "ratio", domain=axes.headroom([row["high"] for row in values], 0.5))
    bars = base.mark_bar(color=palette.VERMILION, size=14, opacity=0.85, cornerRadiusEnd=2).encode(x=x)
    if selection is not None:
        bars = bars.add_params(selection)
    whiskers = base.mark_rule(strokeWidth=2, color=palette.GREY).encode(x=alt.X("low:Q"), x2="high:Q")
    written = base.mark_text(align="left", dx=6, color=palette.GREY).encode(x=alt.X("high:Q"), text="said:N")
    return axes.framed(bars + whiskers + written, max(len(values), 1) * ROW_HEIGHT + 50)


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
        alt.Chart(alt.Data(values=values))
        .mark_bar(orient="vertical")
        .encode(
            x=x,
            x2=alt.X2("right"),
            y=axes.quantity("amount", weight_title, "count", stack="zero"),
            color=alt.Color(
                "key:N",
                scale=alt.Scale(domain=list(colours), range=list(colours.values())),
                legend=axes.legend(list(colours)) if len(colours) > 1 else None,
            ),
            order=alt.Order("place:Q"),
            tooltip=axes.hover(("number", title), ("key", key), ("said", weight_title)),
        )
    )
    return axes.framed(chart.add_params(selection) if selection is not None else chart, HEIGHT)


def _has_zero(values: Sequence[Mapping[str, Any]]) -> bool:
    return any(row["number"] == 0 for row in values)


def _names() -> alt.Y:
    # Sorted as the rows come; wide enough that a usual tool or model name is never cut.
    return alt.Y("name:N", sort=None, axis=alt.Axis(title=None, labelLimit=320, ticks=False, domain=False))


def _written(base: alt.Chart) -> alt.Chart:
    return base.mark_text(align="left", dx=5, color=palette.GREY).encode(text="said:N")


def _axis_unit(unit: str) -> str:
    return {"ns": "seconds", "usd": "usd", "ratio": "ratio"}.get(unit, "count")
