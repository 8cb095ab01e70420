"""A rule over made-up history."""

from dataclasses import replace

from loopwatch_collector.alerts.durations import NS
from loopwatch_collector.alerts.ranges import Range
from loopwatch_collector.alerts.replay import default_step_s, replay
from loopwatch_collector.alerts.rule import Forecast, Rule, Threshold

RULE = Rule("r", "R", "spend_by", "cost_usd", "usd", Threshold(50.0, None, 50.0), 600, for_s=120, resolve_after_s=120)
START_NS = 1_790_856_000 * NS


def history(now_ns):
    """$60 in any window that ends in the second quarter of an hour, else $10."""

    def read(stretch):
        minute = (stretch.to_ns - START_NS) // (60 * NS) % 60
        return {"acme": {"cost_usd": 60.0 if 15 <= minute < 30 else 10.0}}

    return read


def test_it_fires_and_ends_as_the_engine_would():
    """One alert per hour: pending for two minutes, then firing, resolved two minutes after it is clear."""
    result = replay(RULE, "p", Range(START_NS, START_NS + 7_200 * NS), history, 60)
    assert result.evaluations == 121
    alerts = result.alerts()
    assert [(alert.fired_at_ns - START_NS) // (60 * NS) for alert in alerts] == [17, 77]
    assert [(alert.resolved_at_ns - START_NS) // (60 * NS) for alert in alerts] == [32, 92]


def test_points_are_what_the_graph_shows():
    """Each evaluation of a group is a point with value, threshold and whether it is breached."""
    points = replay(RULE, "p", Range(START_NS, START_NS + 3_600 * NS), history, 900).groups["acme"].points
    assert [(point.value, point.threshold, point.is_breach) for point in points] == [
        (10.0, 50.0, False),
        (60.0, 50.0, True),
        (10.0, 50.0, False),
        (10.0, 50.0, False),
        (10.0, 50.0, False),
    ]


def test_the_end_is_always_looked_at():
    """The last point is the end of the range, whatever the step."""
    result = replay(RULE, "p", Range(START_NS, START_NS + 1_000 * NS), history, 600)
    assert result.groups["acme"].points[-1].at_ns == START_NS + 1_000 * NS


def test_a_long_range_has_longer_steps():
    """A year is replayed in at most some thousand evaluations."""
    assert default_step_s(RULE, Range(0, 3_600 * NS)) == 300
    assert default_step_s(RULE, Range(0, 365 * 86_400 * NS)) == 6_308


def test_a_forecast_is_looked_at_every_hour():
    """Whatever its period: when a budget will be exceeded does not wait for half a day."""
    rule = replace(RULE, condition=Forecast(500.0, "month", 28), window_s=86_400)
    assert default_step_s(rule, Range(0, 7 * 86_400 * NS)) == 3_600
