"""What a rule would have said of the past: value, threshold, and when it would have fired."""

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import Any, Final

import altair as alt

from loopwatch_dashboards import formatting
from loopwatch_dashboards.charts import axes, palette
from loopwatch_dashboards.charts.data import data
from loopwatch_dashboards.charts.timeline import HEIGHT, axis_unit, epoch_ms, plotted
from loopwatch_dashboards.view import Window

_TITLES: Final = {"usd": "cost (USD)", "ns": "duration", "ratio": "share", "count": "number"}


def rule_test(
    group: Mapping[str, Any],
    unit: str,
    window: Window,
    zone: tzinfo,
    colour: str,
    selection: alt.Parameter | None = None,
) -> Any:
    """Draws one group of a rule's test.

    Args:
        group: points with time, value and threshold; alerts with fired_at and resolved_at.
        unit: the value's unit as the API names it.
        window: what the time axis covers.
        zone: whose clock it shows.
        colour: the line's.
        selection: a click selection to attach to the values.

    Returns:
        The chart.
    """
    points = [
        {
            "bucket": epoch_ms(point["time"]),
            "stretch": stretch,
            "value": plotted(point["value"], unit),
            "threshold": plotted(point["threshold"], unit),
            "when": formatting.time(point["time"], zone)[:16],
            "said": formatting.of_unit(point["value"], unit),
            "said_threshold": formatting.of_unit(point["threshold"], unit),
        }
        for stretch, point in _known(group["points"])
    ]
    bands = [
        {
            "start": epoch_ms(alert["fired_at"]),
            "end": epoch_ms(alert["resolved_at"]) if alert["resolved_at"] else window.end.timestamp() * 1000,
        }
        for alert in group["alerts"]
        if alert["fired_at"]
    ]
    x = axes.clock("bucket", window, zone)
    top = max((amount for point in points for amount in (point["value"], point["threshold"]) if amount), default=0)
    y = axes.quantity("value", _TITLES.get(unit, unit), axis_unit(unit), top=top)
    base = alt.Chart(data(points)).encode(
        detail="stretch:N", tooltip=axes.hover(("when", "time"), ("said", "value"), ("said_threshold", "threshold"))
    )
    fired = (
        alt.Chart(data(bands))
        .mark_rect(color=palette.VERMILION, opacity=0.22)
        .encode(x=alt.X("start:Q"), x2=alt.X2("end"))
    )
    value = base.mark_line(color=colour).encode(x=x, y=y)
    dots = base.mark_circle(color=colour, size=22, opacity=1).encode(x=x, y=y)
    if selection is not None:
        dots = dots.add_params(selection)
    threshold = base.mark_line(color=palette.VERMILION, strokeDash=[5, 4]).encode(x=x, y=alt.Y("threshold:Q"))
    return axes.framed(value + threshold + fired + dots, HEIGHT)


def _known(points: Sequence[Mapping[str, Any]]) -> list[tuple[int, Mapping[str, Any]]]:
    """The points with a value, each with the number of its unbroken stretch: what is not known is a gap."""
    known: list[tuple[int, Mapping[str, Any]]] = []
    stretch = 0
    for point in points:
        if point["value"] is None:
            stretch += 1
        else:
            known.append((stretch, point))
    return known
