"""What a rule would have said of the past: value, threshold, and when it would have fired."""

from collections.abc import Mapping
from datetime import tzinfo
from typing import Any

import altair as alt

from loopwatch_dashboards import formatting
from loopwatch_dashboards.charts import axes, palette
from loopwatch_dashboards.charts.timeline import HEIGHT, axis_unit, epoch_ms, plotted
from loopwatch_dashboards.view import Window


def rule_test(group: Mapping[str, Any], unit: str, window: Window, local: bool, zone: tzinfo, colour: str) -> Any:
    """Draws one group of a rule's test.

    Args:
        group: points with time, value and threshold; alerts with fired_at and resolved_at.
        unit: the value's unit as the API names it.
        window: what the time axis covers.
        local: whether the axis shows the reader's zone.
        zone: that zone.
        colour: the line's.

    Returns:
        The chart.
    """
    points = [
        {
            "time": epoch_ms(point["time"]),
            "value": plotted(point["value"], unit),
            "threshold": plotted(point["threshold"], unit),
            "when": formatting.time(point["time"], zone)[:16],
            "said": formatting.of_unit(point["value"], unit),
            "said_threshold": formatting.of_unit(point["threshold"], unit),
        }
        for point in group["points"]
    ]
    bands = [
        {
            "start": epoch_ms(alert["fired_at"]),
            "end": epoch_ms(alert["resolved_at"]) if alert["resolved_at"] else window.end.timestamp() * 1000,
        }
        for alert in group["alerts"]
        if alert["fired_at"]
    ]
    x = axes.clock("time", window, local, zone)
    y = axes.quantity("value", unit, axis_unit(unit))
    base = alt.Chart(alt.Data(values=points)).encode(
        tooltip=axes.hover(("when", "time"), ("said", "value"), ("said_threshold", "threshold"))
    )
    fired = (
        alt.Chart(alt.Data(values=bands))
        .mark_rect(color=palette.VERMILION, opacity=0.22)
        .encode(x=alt.X("start:Q"), x2=alt.X2("end"))
    )
    value = base.mark_line(color=colour, point={"size": 18, "color": colour}).encode(x=x, y=y)
    threshold = base.mark_line(color=palette.VERMILION, strokeDash=[5, 4]).encode(x=x, y=alt.Y("threshold:Q"))
    return axes.framed(value + threshold + fired, HEIGHT)
