"""Axes and tooltips that read like the numbers on the page."""

from typing import Any, Final

import altair as alt

from loopwatch_dashboards.view import Window

# Vega's expressions for the labels of an axis, by unit. Durations are plotted in seconds, times in epoch ms.
_LABELS: Final = {
    "usd": "datum.value == 0 ? '$0' : datum.value >= 1000 ? format(datum.value, '$.3~s') : format(datum.value, '$.3~r')",
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
    axis = alt.Axis(title=f"time ({'local' if local else 'UTC'})", labelOverlap=True, tickCount=8, grid=False)
    return alt.X(f"{field}:T", axis=axis, scale=scale)


def legend(columns: int = 6) -> alt.Legend:
    """A legend above the plot, so that it takes no width and is never cut off."""
    return alt.Legend(orient="top", title=None, columns=columns, labelLimit=220, symbolLimit=12)


def hover(*fields: tuple[str, str]) -> list[alt.Tooltip]:
    """Tooltips from (column, label) pairs; the columns hold text that is formatted already."""
    return [alt.Tooltip(f"{field}:N", title=label) for field, label in fields]
