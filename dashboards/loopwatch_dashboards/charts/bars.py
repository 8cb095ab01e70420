"""Charts that compare: ranked bars, rates with intervals, spreads of durations, agents against tools."""

import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from loopwatch_dashboards import formatting
from loopwatch_dashboards.charts import axes, palette
from loopwatch_dashboards.charts.timeline import axis_unit
from loopwatch_dashboards.text import one_line

ROW_HEIGHT = 26
_LINE_HEIGHT = 13
_LINE_CHARACTERS = 26
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
            "name": _wrapped(str(row[label])),
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
        x=axes.amount("amount", title, axis_unit(unit), domain=axes.headroom([row["amount"] for row in values], 0.3)),
        tooltip=axes.hover(
            ("key", label.replace("_", " ")),
            ("said", title),
            *((f"d_{name}", said) for name, (said, _) in (details or {}).items()),
        ),
    )
    layers = _clickable(selection, base.mark_bar(color=colour, cornerRadiusEnd=2, size=16), _written(base))
    return axes.framed(alt.layer(*layers), _height(values))


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
    values = [
        {
            "name": _wrapped(str(row[label])),
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
        y=_names(),
        tooltip=axes.hover(("key", label.replace("key", "name")), ("said", title), ("interval", "95 % interval")),
    )
    x = axes.amount("rate", title, "ratio", domain=axes.headroom([row["high"] for row in values], 0.9))
    bars = base.mark_bar(color=colour, size=14, opacity=0.85, cornerRadiusEnd=2).encode(x=x)
    whiskers = base.mark_rule(strokeWidth=2, color=palette.GREY).encode(x=alt.X("low:Q"), x2="high:Q")
    written = base.mark_text(align="left", dx=6, color=palette.GREY).encode(x=alt.X("high:Q"), text="said:N")
    return axes.framed(alt.layer(*_clickable(selection, bars, whiskers, written)), _height(values))


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
    values = [
        {
            "name": _wrapped(str(row[label])),
            "key": str(row[label]),
            **{part: max(row[f"{part}_duration_ns"] or 0, 1000) / 1e9 for part in ("p50", "p95", "p99")},
            **{
                f"said_{part}": formatting.duration(row[f"{part}_duration_ns"]) for part in ("p50", "p95", "p99", "max")
            },
            "calls": formatting.count(row["calls"]),
        }
        for row in rows
    ]
    base = alt.Chart(alt.Data(values=values)).encode(
        y=_names(),
        tooltip=axes.hover(
            ("key", label.replace("key", "tool")),
            ("said_p50", "p50"),
            ("said_p95", "p95"),
            ("said_p99", "p99"),
            ("said_max", "longest"),
            ("calls", "calls"),
        ),
    )
    low = min((row["p50"] for row in values), default=0.001) * 0.8
    high = max((row["p99"] for row in values), default=1) * 12
    span = base.mark_bar(color=palette.SKY, size=12, cornerRadius=3).encode(
        x=axes.amount("p50", f"{title} (log)", "seconds", domain=[low, high], log=True), x2=alt.X2("p99")
    )
    mark = base.mark_tick(color=palette.BLUE, thickness=3, size=16).encode(x=alt.X("p95:Q"))
    written = base.mark_text(align="left", dx=6, color=palette.GREY).encode(x=alt.X("p99:Q"), text="said_p95:N")
    return axes.framed(alt.layer(*_clickable(selection, span, mark, written)), _height(values))


def matrix(rows: Rows, *, selection: alt.Parameter | None = None) -> Any:
    """Tools against agents: the number of calls written, the share that failed as the shade.

    Args:
        rows: one per agent and tool, with calls and errors.
        selection: a click selection to attach.

    Returns:
        The chart.
    """
    values = [
        {
            "agent": str(row["agent"]),
            "tool": str(row["tool"]),
            "rate": row["errors"] / row["calls"] if row["calls"] else 0,
            "said": formatting.count(row["calls"]),
            "failed": f"{formatting.count(row['errors'])} ({formatting.ratio(row['errors'] / row['calls'])})",
        }
        for row in rows
        if row["calls"]
    ]
    top = max((row["rate"] for row in values), default=0) or 1
    base = alt.Chart(alt.Data(values=values)).encode(
        # There are more tools than agents, and names read best on a row of their own, on a narrow page above all.
        x=alt.X("agent:N", axis=alt.Axis(title=None, labelAngle=-40, labelLimit=160, labelOverlap=False)),
        y=alt.Y("tool:N", sort=_by_main_agent(rows), axis=alt.Axis(title=None, labelLimit=240)),
        tooltip=axes.hover(("agent", "agent"), ("tool", "tool"), ("said", "calls"), ("failed", "failed")),
    )
    cells = base.mark_rect(cornerRadius=2).encode(
        color=alt.Color(
            "rate:Q",
            scale=alt.Scale(domain=[0, top], range=["#9DB2C6", palette.VERMILION], interpolate="rgb"),
            legend=alt.Legend(
                title="share failed",
                orient="top",
                labelExpr="format(datum.value * 100, '.2~r') + ' %'",
                gradientLength=160,
            ),
        )
    )
    written = base.mark_text(fontSize=11, color="#1c2530").encode(text="said:N")
    tools = len({row["tool"] for row in values})
    return axes.framed(alt.layer(*_clickable(selection, cells, written)), max(tools, 1) * 24 + 170)


def _by_main_agent(rows: Rows) -> list[str]:
    """Tools in the order of the agents that call them most, so that what belongs together stands together."""
    main: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        if row["calls"] > main.get(str(row["tool"]), {"calls": 0})["calls"]:
            main[str(row["tool"])] = row
    return sorted(main, key=lambda tool: (str(main[tool]["agent"]), -main[tool]["calls"]))


def _clickable(selection: alt.Parameter | None, *layers: alt.Chart) -> list[alt.Chart]:
    """Layers that all take a click: an interval or a number lies on its bar, and would swallow it."""
    return [layer.add_params(selection) for layer in layers] if selection is not None else list(layers)


def _wrapped(name: str) -> str:
    """A name in two lines at most, so that bars have room beside it; the hover text has all of it."""
    line = one_line(name, 2 * _LINE_CHARACTERS)
    lines = textwrap.wrap(line, _LINE_CHARACTERS, max_lines=2, placeholder="…", break_long_words=False)
    return "\n".join(lines) or "–"


def _height(values: Rows) -> int:
    lines = max((str(row["name"]).count("\n") + 1 for row in values), default=1)
    return max(len(values), 1) * max(ROW_HEIGHT, lines * _LINE_HEIGHT + 8) + 50


def _names() -> alt.Y:
    # Sorted as the rows come; wide enough that a usual tool or model name is never cut.
    return alt.Y(
        "name:N",
        sort=None,
        axis=alt.Axis(title=None, labelLimit=240, ticks=False, domain=False, labelExpr="split(datum.label, '\\n')"),
    )


def _written(base: alt.Chart) -> alt.Chart:
    return base.mark_text(align="left", dx=5, color=palette.GREY).encode(text="said:N")
