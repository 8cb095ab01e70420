"""Axes and tooltips that read like the numbers on the page."""

import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Final, Literal

import altair as alt

from loopwatch_dashboards import typeface
from loopwatch_dashboards.charts import palette
from loopwatch_dashboards.view import Window

# Vega's expressions for the labels of an axis, by unit. Durations are plotted in seconds, times in epoch ms.
_LABELS: Final = {
    "usd": (
        "datum.value == 0 ? '$0' : datum.value >= 1000 ? format(datum.value, '$.3~s') : format(datum.value, '$.3~r')"
    ),
    "count": "datum.value >= 10000 ? format(datum.value, '.3~s') : format(datum.value, ',.6~r')",
    "ratio": "format(datum.value * 100, '.3~r') + ' %'",
    "score": "format(datum.value, '.3~r')",
    "seconds": (
        "datum.value == 0 ? '0 s' : datum.value < 0.001 ? format(datum.value * 1e6, '.3~r') + ' µs' : "
        "datum.value < 1 ? format(datum.value * 1e3, '.3~r') + ' ms' : "
        "datum.value < 120 ? format(datum.value, '.3~r') + ' s' : "
        "datum.value < 7200 ? format(datum.value / 60, '.3~r') + ' min' : format(datum.value / 3600, '.3~r') + ' h'"
    ),
}

_TICK_SECONDS: Final = (10, 30, 60, 300, 600, 900, 1800, 3600, 2 * 3600, 3 * 3600, 6 * 3600, 12 * 3600, 86_400)
_MAX_TICKS: Final = 9


def quantity(field: str, title: str, unit: str, *, top: float, is_stacked: bool = False) -> alt.Y:
    """A vertical axis of amounts, from zero, for lengths are compared on it.

    Args:
        field: the column plotted.
        title: what is plotted, its unit with it.
        unit: "usd", "count", "ratio" or "seconds"; decides how labels are written.
        top: the largest amount. Vega would find it too, but it first draws without data, and complains of that.
        is_stacked: whether marks at the same place stand on each other.
    """
    scale = alt.Scale(domain=[0, (top or 1) * 1.04], nice=False)
    extra: dict[str, Any] = {"tickMinStep": 1} if unit == "count" else {}
    if unit == "seconds" and (ticks := seconds(top)):
        extra["values"] = ticks
    axis = alt.Axis(labelExpr=_LABELS[unit], tickCount=5, title=title, **extra)
    return alt.Y(f"{field}:Q", axis=axis, scale=scale, stack="zero" if is_stacked else None)


def highest(rows: Sequence[Mapping[str, Any]], place: str, amount: str) -> float:
    """The height of the highest stack: the largest sum of `amount` over rows with the same `place`."""
    sums: dict[Any, float] = {}
    for row in rows:
        sums[row[place]] = sums.get(row[place], 0) + row[amount]
    return max(sums.values(), default=0)


def amount(
    field: str,
    title: str,
    unit: str,
    *,
    domain: list[float] | None = None,
    log: bool = False,
    orient: Literal["top", "bottom"] = "bottom",
) -> alt.X:
    """A horizontal axis of amounts, from zero unless logarithmic."""
    scale = alt.Scale(type="log", nice=False) if log else alt.Scale(zero=True, nice=True)
    extra: dict[str, Any] = {"tickMinStep": 1} if unit == "count" else {}
    if domain:
        scale = alt.Scale(domain=domain, nice=False, type="log" if log else "linear")
        if log:
            extra["values"] = durations(*domain) if unit == "seconds" else powers_of_ten(*domain)
        elif unit == "seconds" and (ticks := seconds(domain[1])):
            extra["values"] = ticks
        elif unit == "ratio" and domain[1] > 1:
            # Room for numbers written beside full bars; a share over 100 % would be nonsense as a label.
            extra["values"] = [0, 0.2, 0.4, 0.6, 0.8, 1]
    return alt.X(
        f"{field}:Q",
        axis=alt.Axis(
            labelExpr=_LABELS[unit], tickCount=6, title=title or None, labelOverlap=True, orient=orient, **extra
        ),
        scale=scale,
        stack=None,
    )


def clock(field: str, window: Window, zone: tzinfo = UTC) -> alt.X:
    """A horizontal time axis over the whole window; the title says whose clock it shows.

    Times are plotted as epoch milliseconds with ticks at full hours or days of that clock.

    Args:
        field: the column with epoch milliseconds.
        window: what the axis covers, whatever has data.
        zone: whose clock.
    """
    ticks = clock_ticks(window, zone)
    axis = alt.Axis(
        title=f"time ({zone})",
        values=[moment.timestamp() * 1000 for moment in ticks],
        labelExpr=_by_value({moment.timestamp() * 1000: _clock_label(moment, window) for moment in ticks}),
        labelOverlap="greedy",
        grid=False,
    )
    domain = [moment.timestamp() * 1000 for moment in window.buckets]
    return alt.X(f"{field}:Q", axis=axis, scale=alt.Scale(domain=domain, nice=False, zero=False))


def clock_ticks(window: Window, zone: tzinfo) -> list[datetime]:
    """The full hours or days in a window, at most nine, by the clock of a zone."""
    seconds = (window.end - window.start).total_seconds()
    step = next((one for one in _TICK_SECONDS if seconds / one <= _MAX_TICKS), None)
    if step is None:
        step = (int(seconds / 86_400 / _MAX_TICKS) + 1) * 86_400
    midnight = window.start.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    first = int((window.start - midnight).total_seconds() // step)
    moments = ((midnight + timedelta(seconds=step * (first + i))) for i in range(_MAX_TICKS + 3))
    return [moment for moment in moments if window.start <= moment <= window.end]


def _clock_label(moment: datetime, window: Window) -> str:
    """The hour and minute, and the day where one begins."""
    if window.end - window.start < timedelta(minutes=5):
        return moment.strftime("%H:%M:%S")
    return moment.strftime("%H:%M") if moment.hour or moment.minute else moment.strftime("%b %-d")


def _by_value(labels: Mapping[float, str]) -> str:
    # JSON is a literal of Vega's expression language too, so no label can become code.
    return f"({json.dumps({str(int(value)): label for value, label in labels.items()})})[datum.value]"


_LONG_SECONDS: Final = (60, 600, 3_600, 36_000)


_SECOND_STEPS: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 6 * 3600, 12 * 3600, 86_400)
_MAX_SECOND_TICKS: Final = 7


def seconds(top: float) -> list[float]:
    """The ticks of an axis of seconds from zero to `top`: whole seconds, minutes or hours; empty for a few seconds."""
    step = next((one for one in _SECOND_STEPS if top / one < _MAX_SECOND_TICKS), _SECOND_STEPS[-1])
    return [float(step * number) for number in range(int(top / step) + 1)] if top >= 5 else []


def durations(low: float, high: float) -> list[float]:
    """The ticks of a logarithmic axis of seconds: powers of ten up to ten seconds, then minutes and hours."""
    short = [one for one in powers_of_ten(low, high) if one <= 10]
    return [*short, *(float(one) for one in _LONG_SECONDS if low <= one <= high)]


def powers_of_ten(low: float, high: float) -> list[float]:
    """The ticks of a logarithmic axis: powers of ten, and thrice them where there are few."""
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = (1,) if len(exponents) > 5 else (1, 3)
    return [step * 10.0**exponent for exponent in exponents for step in steps if low <= step * 10.0**exponent <= high]


# What fits into a panel of a narrow window, in multiples of the size of a legend's letters.
_LEGEND_EM: Final = 23.0
_LEGEND_NAME_EM, _LEGEND_LINES = 19.0, 6
_SYMBOL_EM: Final = 2.5
_LEGEND_LINE_PX, _LEGEND_AIR_PX = 14, 3


def legend(names: Sequence[str]) -> alt.Legend:
    """A legend above the plot, in as many columns as fit, long names in lines, so that none is cut off.

    Args:
        names: what it lists.
    """
    labels = dict(zip(names, map(list, _legend_names(names)), strict=True))
    return alt.Legend(
        orient="top",
        title=None,
        columns=_legend_columns(names),
        labelLimit=0,
        # JSON is a literal of Vega's expression language too, so no name can become code.
        labelExpr=f"({json.dumps(labels)})[datum.value]",
        symbolLimit=12,
        offset=4,
        rowPadding=2,
    )


def legend_height(names: Sequence[str]) -> int:
    """How much height a legend takes, in pixels."""
    if len(names) < 2:
        return 0
    columns, lines = _legend_columns(names), [len(name) for name in _legend_names(names)]
    rows = [max(lines[first : first + columns]) for first in range(0, len(lines), columns)]
    return sum(row * _LEGEND_LINE_PX + _LEGEND_AIR_PX for row in rows)


def _legend_names(names: Sequence[str]) -> list[tuple[str, ...]]:
    fixed = all(name in palette.FIXED for name in names)
    shown = (name.replace("_", " ") if fixed else name or palette.NAMELESS for name in names)
    return [typeface.lines(name, _LEGEND_NAME_EM, _LEGEND_LINES) for name in shown]


def _legend_columns(names: Sequence[str]) -> int:
    widest = max((typeface.em_width(line) for lines in _legend_names(names) for line in lines), default=0)
    return max(1, int(_LEGEND_EM // (widest + _SYMBOL_EM)))


def headroom(values: Sequence[float], share: float) -> list[float] | None:
    """A domain from zero with room beyond the largest value for the number written there."""
    top = max(values, default=0)
    return [0, top * (1 + share)] if top > 0 else None


def hover(*fields: tuple[str, str]) -> list[alt.Tooltip]:
    """Tooltips from (column, label) pairs; the columns hold text that is formatted already."""
    return [alt.Tooltip(f"{field}:N", title=label) for field, label in fields]


def framed(chart: Any, height: int) -> Any:
    """A chart with its height in pixels, axes and legend in it, and no empty rim.

    Set in place: Altair's own steps each copy a chart with all its layers, which took a third of making one.
    """
    chart.height = height
    chart.padding = {"left": 2, "right": 6, "top": 2, "bottom": 0}
    chart.autosize = alt.AutoSizeParams(type="fit", contains="padding")
    chart.config = alt.Config(
        axis=alt.AxisConfig(labelPadding=6, titlePadding=8), legend=alt.LegendConfig(padding=0, labelPadding=4)
    )
    return chart
