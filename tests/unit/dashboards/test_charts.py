"""Charts as functions of values."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import altair as alt
import pytest

from loopwatch_dashboards.charts import axes, bars, histograms, palette, timeline, waterfall
from loopwatch_dashboards.charts.matrix import matrix
from loopwatch_dashboards.view import Window

START = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
WINDOW = Window(START, START + timedelta(hours=24))


def _values(chart: Any) -> list[dict[str, Any]]:
    spec = chart.to_dict()
    data = spec.get("data") or spec["layer"][0]["data"]
    return data["values"]


def _names(chart: Any) -> list[list[str]]:
    """The lines of the rows' names: the expression of the axis is a literal, looked up by the place of the row."""
    expression = chart.to_dict()["layer"][0]["encoding"]["y"]["axis"]["labelExpr"]
    assert (expression[:1], expression[-14:]) == ("(", ")[datum.value]")
    return list(json.loads(expression[1:-14]).values())


def test_stack_covers_the_whole_window_and_starts_at_zero() -> None:
    """The time axis is the window, whatever has data; the amounts start at zero."""
    chart = timeline.stacked(
        [{"bucket": "2026-11-20T10:00:00Z", "outcome": "failed", "runs": 3}],
        key="outcome",
        value="runs",
        unit="runs",
        title="runs",
        colours={"completed": palette.GREEN, "failed": palette.VERMILION},
        window=WINDOW,
    )
    encoding = chart.to_dict()["encoding"]
    assert encoding["x"]["scale"]["domain"] == [WINDOW.start.timestamp() * 1000, WINDOW.end.timestamp() * 1000]
    low, high = encoding["y"]["scale"]["domain"]
    assert (low, high) == (0, pytest.approx(3 * 1.04))
    (bar,) = _values(chart)
    assert (bar["amount"], bar["said"], bar["when"], bar["place"]) == (3, "3", "2026-11-20 10:00", 1)


def test_axis_covers_full_buckets() -> None:
    """A bucket that has only begun is drawn as wide as the others, so that it can be seen and clicked."""
    window = Window(START + timedelta(minutes=7), START + timedelta(hours=24, minutes=1))
    chart = timeline.stacked(
        [{"bucket": "2026-11-21T03:00:00Z", "outcome": "open", "runs": 1}],
        key="outcome",
        value="runs",
        unit="runs",
        title="runs",
        colours={"open": palette.SKY},
        window=window,
    )
    first, last = chart.to_dict()["encoding"]["x"]["scale"]["domain"]
    (bar,) = _values(chart)
    assert (first, last) == (START.timestamp() * 1000, (START + timedelta(hours=24, minutes=30)).timestamp() * 1000)
    assert bar["bucket"] < bar["bucket_end"] < last


def test_gap_in_time_is_a_gap_in_the_line() -> None:
    """Buckets without a row break the line; unknown values are left out."""
    rows = [
        {"bucket": "2026-11-20T04:00:00Z", "mean": 2.0},
        {"bucket": "2026-11-20T04:30:00Z", "mean": 3.0},
        {"bucket": "2026-11-20T05:00:00Z", "mean": None},
        {"bucket": "2026-11-20T05:30:00Z", "mean": 4.0},
    ]
    chart = timeline.lines(
        rows, series={"mean": "mean"}, unit="count", title="iterations", window=WINDOW, colours=(palette.BLUE,)
    )
    assert [(point["amount"], point["stretch"]) for point in _values(chart)] == [(2.0, 0), (3.0, 0), (4.0, 1)]


def test_durations_are_plotted_in_seconds() -> None:
    """Nanoseconds of the API become seconds on the axis and words in the hover text."""
    chart = bars.ranked([{"tool": "search", "p95": 1_500_000_000}], label="tool", value="p95", unit="ns", title="p95")
    (bar,) = _values(chart)
    assert (bar["amount"], bar["said"]) == (1.5, "1.5 s")


def test_unknown_cost_has_no_bar() -> None:
    """A cost that is not known is left out: it is not $0."""
    rows = [{"key": "a", "cost_usd": None}, {"key": "b", "cost_usd": 0.5}]
    chart = bars.ranked(rows, label="key", value="cost_usd", unit="usd", title="cost")
    assert [bar["name"] for bar in _values(chart)] == ["b"]


def test_rates_say_their_interval() -> None:
    """A rate names what it counts, and its interval."""
    row = {"tool": "t", "error_rate": 0.5, "error_rate_low": 0.09, "error_rate_high": 0.91, "errors": 1, "calls": 2}
    (bar,) = _values(bars.rates([row], label="tool", title="failed"))
    assert (bar["said"], bar["interval"]) == ("50.0 %, 1 of 2", "9.0 % to 91.0 %")


def test_distribution_sums_rows_of_the_same_number() -> None:
    """Rows that differ only in what the chart does not split by are one bar."""
    rows = [
        {"iterations": 3, "outcome": "failed", "agent": "a", "runs": 2},
        {"iterations": 3, "outcome": "failed", "agent": "b", "runs": 5},
    ]
    chart = histograms.distribution(
        rows,
        value="iterations",
        weight="runs",
        key="outcome",
        title="iterations",
        weight_title="runs",
        colours={"failed": palette.VERMILION},
    )
    assert [(bar["number"], bar["amount"]) for bar in _values(chart)] == [(3, 7)]


def test_ticks_are_full_hours_of_the_readers_clock() -> None:
    """In a zone half an hour off, ticks stand at that zone's full hours."""
    zone = ZoneInfo("Asia/Kolkata")
    ticks = axes.clock_ticks(WINDOW, zone)
    assert 4 <= len(ticks) <= 9
    assert all(tick.astimezone(zone).minute == 0 for tick in ticks)
    assert all(WINDOW.start <= tick <= WINDOW.end for tick in ticks)


@pytest.mark.parametrize("hours", [0.02, 0.25, 1, 6, 24, 168, 720, 2160, 24 * 365 * 3])
def test_every_range_has_ticks(hours: float) -> None:
    """From a minute to years, the time axis has two to twelve labels."""
    ticks = axes.clock_ticks(Window(START, START + timedelta(hours=hours)), UTC)
    assert 2 <= len(ticks) <= 12


def _span(span_id: str, parent: str | None, offset: int, **more: Any) -> dict[str, Any]:
    return {
        "span_id": span_id,
        "parent_span_id": parent,
        "offset_ns": offset,
        "duration_ns": 1_000_000,
        "kind": "tool_call",
        "name": f"execute_tool {span_id}",
        "tool": span_id,
        "model": "",
        "status": "",
        "tool_outcome": "success",
        "error_type": "",
        "input_tokens": 0,
        "output_tokens": 0,
        "cost_usd": None,
        **more,
    }


def test_waterfall_reads_parents_before_children() -> None:
    """Spans stand in reading order with their depth; orphans stand at the top; a cycle does not hang."""
    spans = [
        _span("b", "root", 20),
        _span("root", None, 0),
        _span("a", "root", 10),
        _span("a1", "a", 12),
        _span("orphan", "unknown", 5),
        _span("x", "y", 30),
        _span("y", "x", 31),
    ]
    placed = [(depth, span["span_id"]) for depth, span in waterfall.ordered(spans)]
    assert placed == [(0, "root"), (1, "a"), (2, "a1"), (1, "b"), (0, "orphan"), (0, "x"), (0, "y")]


def test_failed_spans_are_marked_without_colour_too() -> None:
    """A failed span has a cross in its label: colour alone does not tell."""
    chart = waterfall.waterfall([_span("t", None, 0, tool_outcome="error", error_type="Timeout")])
    (bar,) = _values(chart)
    ((line,),) = _names(chart)
    assert "✕" in line
    assert bar["state"] == "Timeout"


def test_hostile_names_stay_data() -> None:
    """A span name that looks like an expression of the chart's language is a label, nothing more."""
    name = "'] || alert(1) || ['"
    chart = waterfall.waterfall([_span("t", None, 0, tool=name)])
    ((line,),) = _names(chart)
    assert line.strip("\u200b") == name
    assert alt.LayerChart.from_dict(chart.to_dict())


@pytest.mark.parametrize(
    ("top_s", "expected"),
    [
        (3.2, []),
        (27.7, [0, 5, 10, 15, 20, 25]),
        (95, [0, 15, 30, 45, 60, 75, 90]),
        (307, [0, 60, 120, 180, 240, 300]),
        (9_000, [0, 1800, 3600, 5400, 7200, 9000]),
    ],
)
def test_durations_have_ticks_a_clock_would_have(top_s: float, expected: list[float]) -> None:
    """An axis of seconds counts in seconds, half minutes, minutes or hours, never in 3.33 minutes."""
    assert axes.seconds(top_s) == expected


def test_long_durations_on_a_logarithmic_axis_are_minutes_and_hours() -> None:
    """Beyond ten seconds a tick is a minute, ten minutes or an hour, not a thousand seconds."""
    assert axes.durations(0.4, 4_000) == [1, 10, 60, 600, 3_600]


def test_value_without_a_name_is_called_so() -> None:
    """What has no name in the data is written as (none), in the hover text as in the legend, and clicks as empty."""
    chart = timeline.stacked(
        [{"bucket": "2026-11-20T10:00:00Z", "customer": "", "cost_usd": 2.0}],
        key="customer",
        value="cost_usd",
        unit="usd",
        title="cost",
        colours={"a": palette.BLUE, "": palette.ORANGE},
        window=WINDOW,
    )
    (bar,) = _values(chart)
    assert (bar["key"], bar["name"]) == ("", "(none)")
    assert "(none)" in chart.to_dict()["encoding"]["color"]["legend"]["labelExpr"]


def test_kinds_of_a_waterfall_are_those_it_has() -> None:
    """The line above a waterfall names each kind of span that is in it, in one order, and no other."""
    spans = [{"kind": kind} for kind in ("tool_call", "model_call", "tool_call", "retrieval")]
    assert list(waterfall.kinds_of(spans)) == ["model_call", "tool_call", "other"]


LONG_REASON = (
    "the pool of the database is exhausted, and raising its limit needs an approval that this agent cannot give"
)


def test_short_names_stand_beside_their_bars_and_long_ones_above() -> None:
    """A name that needs more than two lines stands above its bar, whole, in a row as high as its lines."""
    rows = [{"reason": "too dear", "runs": 2}, {"reason": LONG_REASON, "runs": 1}]
    beside, above = (
        bars.ranked(shown, label="reason", value="runs", unit="runs", title="runs") for shown in (rows[:1], rows)
    )
    assert _names(beside) == [["too dear"]]
    names = _names(above)
    assert " ".join(names[1]) == LONG_REASON
    first, second = _values(above)
    assert second["bar"] - first["bar_end"] > len(names[1]) * 14
    assert [bar["bar_end"] - bar["bar"] for bar in (first, second)] == [16, 16]


def test_agents_and_tools_are_named_whole_in_the_matrix() -> None:
    """Names of agents and of tools are broken into lines, none is cut."""
    agent, tool = "an-agent-of-the-platform-team-for-incidents-of-payments", "mcp__tickets__create_or_update_a_ticket"
    chart = matrix([{"agent": agent, "tool": tool, "calls": 4, "errors": 1}])
    assert "".join(_names(chart)[0]) == tool
    axis = chart.to_dict()["layer"][0]["encoding"]["x"]["axis"]
    assert (axis["labelLimit"], axis["labelAngle"]) == (0, -90)
    assert "".join(json.loads(axis["labelExpr"][1:-14])[agent]) == agent


def test_long_names_of_a_legend_are_in_lines() -> None:
    """A legend has each name whole, in lines where it is long, and the chart is higher by them."""
    names = ["short", LONG_REASON]
    lines = json.loads(axes.legend(names).to_dict()["labelExpr"][1:-14])
    assert [" ".join(lines[name]) for name in names] == names
    assert axes.legend_height(names) > axes.legend_height(["short", "other"]) + 14
