"""Agents against tools: who calls what, and how often in vain."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import altair as alt

from loopwatch_dashboards import formatting, typeface
from loopwatch_dashboards.charts import axes, palette
from loopwatch_dashboards.charts import rows as placed
from loopwatch_dashboards.charts.bars import clickable
from loopwatch_dashboards.charts.data import data
from loopwatch_dashboards.text import one_line

Rows = Sequence[Mapping[str, Any]]
_CELL_PX: Final = 24
_TOOL_EM, _TOOL_LINES = 15.0, 4
_AGENT_EM, _LONG_AGENT_EM, _AGENT_LINES = 14.0, 28.0, 4
_LEGEND_PX: Final = 50
_SLOPE: Final = 40


def matrix(rows: Rows, *, selection: alt.Parameter | None = None) -> Any:
    """Tools against agents: the number of calls written, the share that failed as the shade.

    Args:
        rows: one per agent and tool, with calls and errors.
        selection: a click selection to attach.

    Returns:
        The chart.
    """
    tools = _by_main_agent(rows)
    places = placed.within(
        [typeface.lines(tool or "–", _TOOL_EM, _TOOL_LINES) for tool in tools], None, least_px=_CELL_PX
    )
    values = [
        {
            "agent": str(row["agent"]),
            "tool": str(row["tool"]),
            "agent_name": one_line(str(row["agent"]), 200),
            "tool_name": one_line(str(row["tool"]), 200),
            **places.at(tools.index(str(row["tool"]))),
            "rate": row["errors"] / row["calls"] if row["calls"] else 0,
            "said": formatting.count(row["calls"]),
            "failed": f"{formatting.count(row['errors'])} ({formatting.ratio(row['errors'] / row['calls'])})",
        }
        for row in rows
        if row["calls"]
    ]
    top = max((row["rate"] for row in values), default=0) or 1
    agents = sorted({row["agent"] for row in values})
    axis, below_px = _agents_axis(agents)
    # There are more tools than agents, and names read best on a row of their own, on a narrow page above all.
    base = alt.Chart(data(values)).encode(
        x=alt.X("agent:N", sort=agents, axis=axis),
        tooltip=axes.hover(("agent_name", "agent"), ("tool_name", "tool"), ("said", "calls"), ("failed", "failed")),
    )
    cells = base.mark_rect(cornerRadius=2, stroke="white", strokeOpacity=0.5).encode(
        y=places.y("bar"),
        y2=alt.Y2("bar_end"),
        color=alt.Color(
            "rate:Q",
            scale=alt.Scale(domain=[0, top], range=["#9DB2C6", palette.VERMILION], interpolate="rgb"),
            legend=alt.Legend(
                title="share failed",
                orient="top",
                labelExpr="format(datum.value * 100, '.2~r') + ' %'",
                gradientLength=160,
            ),
        ),
    )
    written = base.mark_text(fontSize=11, color="#1c2530").encode(y=places.y("middle"), text="said:N")
    return axes.framed(alt.layer(*clickable(selection, cells, written)), places.height + _LEGEND_PX + below_px)


def _agents_axis(agents: Sequence[str]) -> tuple[alt.Axis, int]:
    """The names of agents below their columns, and how high they are in pixels; long ones stand upright, in lines."""
    widest = max(map(typeface.em_width, agents), default=0)
    angle, width_em = -_SLOPE, _AGENT_EM
    if widest > _AGENT_EM:
        angle, width_em = -90, min(_LONG_AGENT_EM, max(_AGENT_EM, widest / 2 + 2))
    names = [typeface.lines(agent or "–", width_em, _AGENT_LINES) for agent in agents]
    most_lines = max(map(len, names), default=1)
    high = min(widest, width_em) * placed.LETTER_PX * math.sin(math.radians(-angle))
    axis = alt.Axis(
        title=None,
        labelAngle=angle,
        labelLimit=0,
        labelOverlap=False,
        labelLineHeight=placed.LINE_PX,
        labelOffset=0 if most_lines == 1 else -(most_lines - 1) * placed.LINE_PX / 2,
        labelExpr=f"({json.dumps(dict(zip(agents, map(list, names), strict=True)))})[datum.value]",
    )
    return axis, int(high)


def _by_main_agent(rows: Rows) -> list[str]:
    """Tools in the order of the agents that call them most, so that what belongs together stands together."""
    main: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        if row["calls"] > main.get(str(row["tool"]), {"calls": 0})["calls"]:
            main[str(row["tool"])] = row
    return sorted(main, key=lambda tool: (str(main[tool]["agent"]), -main[tool]["calls"]))
