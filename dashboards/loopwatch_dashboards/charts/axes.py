"""Axes and tooltips that read like the numbers on the page."""

from collections.abc import Sequence
from typing import Any, Final

import altair as alt

from loopwatch_dashboards.view import Window

# Vega's expressions for the labels of an axis, by unit. Durations are plotted in seconds, times in epoch ms.
_LABELS: Final = {
    "usd": (
        "datum.value == 0 ? '$0' : datum.value >= 1000 ? format(datum.value, '$.3~s') : format(datum.value, '$.3~r')"
    ),
    "count": "datum.value >= 10000 ? format(datum.value, '.3~s') : format(datum.value, ',.6~r')",
    "ratio": "format(datum.value * 100, '.3~r') + ' %'",
    "seconds": (
        "datum.value == 0 ? '0 s' : datum.value < 0.001 ? format(datum.value * 1e6, '.3~r') + ' µs' : "
        "datum.value < 1 ? format(datum.value * 1e3, '.3~r') + ' ms' : "
        "datum.value < 120 ? format(datum.value, '.3~r') + ' s' : "
        "datum.value < 7200 ? format(datum.value / 60, '.3~r') + ' min' : format(datum.value / 3600, '.3~r') + ' h'"
    ),
}


def quantity(field: str, title: str, unit: str, *, stack: Any = None, zero: bool = True, log: bool = False) -> alt.Y:
    """A vertical axis of amounts.

    Args:
        field: the column plotted.
        title: what is plotted, its unit with it.
        unit: "usd", "count", "ratio" or "seconds"; decides how labels are written.
        stack: Vega's stacking mode; None for none.
        zero: whether the axis starts at zero, as it must where lengths are compared.
        log: whether the scale is logarithmic, for amounts over several orders of magnitude.
    """
    scale = alt.Scale(type="log", nice=False) if log else alt.Scale(zero=zero, nice=True)
    extra = {"tickMinStep": 1} if unit == "count" else {}
    axis = alt.Axis(labelExpr=_LABELS[unit], tickCount=5, title=title, **extra)
    return alt.Y(f"{field}:Q", axis=axis, scale=scale, stack=stack)


def amount(field: str, title: str, unit: str, *, domain: list[float] | None = None, log: bool = False) -> alt.X:
    """A horizontal axis of amounts, from zero unless logarithmic."""
    scale = alt.Scale(type="log", nice=False) if log else alt.Scale(zero=True, nice=True)
    if domain:
        scale = alt.Scale(domain=domain, nice=False)
    extra = {"tickMinStep": 1} if unit == "count" else {}
    return alt.X(
        f"{field}:Q",
        axis=alt.Axis(labelExpr=_LABELS[unit], tickCount=6, title=title, labelOverlap=True, **extra),
        scale=scale,
        stack=None,
    )


def clock(field: str, window: Window, local: bool) -> alt.X:
    """A horizontal time axis over the whole window, in UTC or in the browser's zone; the title says which."""
    domain = [window.start.timestamp() * 1000, window.end.timestamp() * 1000]
    scale = alt.Scale(type="time" if local else "utc", domain=domain, nice=False)
    axis = alt.Axis(
        title=f"time ({'local' if local else 'UTC'})",
        labelExpr=_clock_label("" if local else "utc"),
        labelOverlap=True,
        tickCount=8,
        grid=False,
    )
    return alt.X(f"{field}:T", axis=axis, scale=scale)


def _clock_label(prefix: str) -> str:
    """The hour and minute, and the day where one begins."""
    hours, minutes, written = (
        f"{prefix}hours(datum.value)",
        f"{prefix}minutes(datum.value)",
        f"{prefix or 'time'}Format",
    )
    return f"{hours} == 0 && {minutes} == 0 ? {written}(datum.value, '%b %d') : {written}(datum.value, '%H:%M')"


# A panel in a column of two is about this many characters wide.
_LEGEND_CHARACTERS: Final = 62


def legend(names: Sequence[str]) -> alt.Legend:
    """A legend above the plot, in as many columns as fit, so that no name is cut off."""
    widest = max((min(len(name), 32) for name in names), default=0) + 4
    return alt.Legend(
        orient="top",
        title=None,
        columns=max(1, _LEGEND_CHARACTERS // widest),
        labelLimit=260,
        symbolLimit=12,
        offset=4,
        rowPadding=2,
    )


def headroom(values: Sequence[float], share: float) -> list[float] | None:
    """A domain from zero with room beyond the largest value for the number written there."""
    top = max(values, default=0)
    return [0, top * (1 + share)] if top > 0 else None


def hover(*fields: tuple[str, str]) -> list[alt.Tooltip]:
    """Tooltips from (column, label) pairs; the columns hold text that is formatted already."""
    return [alt.Tooltip(f"{field}:N", title=label) for field, label in fields]


def framed(chart: Any, height: int) -> Any:
    """A chart with its height in pixels, axes and legend in it, and no empty rim."""
    padding = {"left": 2, "right": 4, "top": 4, "bottom": 0}
    return chart.properties(height=height, padding=padding, autosize=alt.AutoSizeParams(type="fit", contains="padding"))
