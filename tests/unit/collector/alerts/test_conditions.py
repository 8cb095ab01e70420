"""Conditions judged on made-up readings: right at the edges, and silent where they should be."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from loopwatch_collector.alerts.conditions import expected_value, judge, wilson_low
from loopwatch_collector.alerts.durations import NS
from loopwatch_collector.alerts.rule import Absence, Baseline, Forecast, Rate, Rule, Threshold

NOW_NS = int(datetime(2026, 3, 18, 12, 0, tzinfo=UTC).timestamp()) * NS  # a Wednesday
HOUR_NS, DAY_NS = 3_600 * NS, 86_400 * NS
RULE = Rule("r", "R", "spend_by", "cost_usd", "usd", Threshold(50.0, None, 40.0), 3_600)


def reading(values, column="cost_usd"):
    """Answers every range with the same rows."""
    return lambda _stretch: {group: {column: value} for group, value in values.items()}


def by_hour(value_at, group="a", column="cost_usd"):
    """Answers a range with a value per hour that depends on the hour's start, summed over the range."""

    def read(stretch):
        hours = range(stretch.from_ns // HOUR_NS, -(-stretch.to_ns // HOUR_NS))
        covered = sum(
            value_at(hour * HOUR_NS)
            * (min(stretch.to_ns, (hour + 1) * HOUR_NS) - max(stretch.from_ns, hour * HOUR_NS))
            / HOUR_NS
            for hour in hours
        )
        return {group: {column: covered}} if covered else {}

    return read


def state(rule, read, group="a", now_ns=NOW_NS, active=()):
    verdicts = judge(rule, now_ns, read, active)
    return verdicts[group].state if group in verdicts else None


@pytest.mark.parametrize(("value", "expected"), [(50.01, "breach"), (50.0, "hold"), (45.0, "hold"), (40.0, "clear")])
def test_a_threshold_holds_between_breach_and_clear(value, expected):
    """Strictly above breaches, at or under `clear` clears, in between nothing changes."""
    assert state(RULE, reading({"a": value})) == expected


def test_a_threshold_below_looks_the_other_way():
    """A rule that looks below breaches under the threshold; without data it cannot tell."""
    rule = replace(RULE, condition=Threshold(None, 10.0, 12.0))
    assert [state(rule, reading({"a": value})) for value in (9.0, 11.0, 12.0)] == ["breach", "hold", "clear"]
    assert state(rule, reading({}), active=["a"]) == "hold"


def test_each_group_is_judged_on_its_own():
    """Any customer over the threshold is one rule with a verdict per customer."""
    verdicts = judge(RULE, NOW_NS, reading({"acme": 60.0, "zeta": 3.0}))
    assert {group: verdict.state for group, verdict in verdicts.items()} == {"acme": "breach", "zeta": "clear"}


def test_a_group_that_vanished_is_clear_again():
    """An empty window ends an alert on too much: there is nothing any more."""
    assert state(RULE, reading({}), active=["a"]) == "clear"
    assert judge(RULE, NOW_NS, reading({})) == {}


def rate(hits, total, **changes):
    condition = Rate(("ended",), 0.2, 0.18, 20, 0.95)._replace(**changes)
    rule = replace(RULE, value="escalated", condition=condition)
    return judge(rule, NOW_NS, lambda _: {"a": {"escalated": hits, "ended": total}})["a"]


@pytest.mark.parametrize(
    ("hits", "total", "expected"),
    [(5, 10, "hold"), (6, 20, "hold"), (12, 20, "breach"), (30, 100, "breach"), (25, 100, "hold"), (18, 100, "clear")],
)
def test_a_rate_needs_a_sample_and_confidence(hits, total, expected):
    """Half of ten runs is no evidence; 25 of 100 may still be a fifth; 30 of 100 is more than a fifth."""
    assert rate(hits, total).state == expected


def test_a_rate_of_nothing_is_clear():
    """No runs in the window: no share, no breach, no division by zero."""
    assert rate(0, 0) == ("clear", None, 0.2, "nothing in the window")


def test_wilsons_interval_is_the_published_one():
    """The lower end at 95 % for 10 of 50 is 0.1124 (worked example of the interval)."""
    assert wilson_low(10, 50, 0.95) == pytest.approx(0.1124, abs=5e-5)
    assert wilson_low(0, 10, 0.95) == pytest.approx(0.0, abs=1e-12)


BASELINE = replace(RULE, condition=Baseline(2.0, 5.0, 4.0, 28, 3))


def test_a_spike_over_the_usual_hour_is_a_breach():
    """$30 in an hour that usually takes $10 is too much; $15 is not, though more than usual."""
    usual = by_hour(lambda start: 30.0 if start >= NOW_NS - HOUR_NS else 10.0)
    assert state(BASELINE, usual) == "breach"
    more = by_hour(lambda start: 15.0 if start >= NOW_NS - HOUR_NS else 10.0)
    assert state(BASELINE, more) == "clear"


def test_cents_against_a_cent_stay_silent():
    """Twice almost nothing is almost nothing: the floor keeps $0.02 against $0.01 quiet, and the past unread."""
    asked = []

    def read(stretch):
        asked.append(stretch)
        return {"a": {"cost_usd": 0.02 if stretch.to_ns == NOW_NS else 0.01}}

    assert state(BASELINE, read) == "clear"
    assert len(asked) == 1


def test_a_first_day_has_no_baseline():
    """Before a group was seen on three days there is nothing to hold its cost against, and no alert."""
    young = by_hour(lambda start: 100.0 if start >= NOW_NS - DAY_NS else 0.0)
    verdict = judge(BASELINE, NOW_NS, young)["a"]
    assert (verdict.state, verdict.threshold) == ("hold", None)
    assert "no baseline yet" in verdict.detail


def test_the_hour_of_the_day_is_minded():
    """A nightly batch of $100 at this hour is usual at this hour and no spike."""
    nightly = by_hour(lambda start: 100.0 if start % DAY_NS == (NOW_NS - HOUR_NS) % DAY_NS else 1.0)
    assert state(BASELINE, nightly) == "clear"


def test_weekends_are_held_against_weekends():
    """A Saturday as dear as a weekday is a breach when Saturdays are usually quiet."""
    saturday_ns = NOW_NS + 3 * DAY_NS
    weekend = {5, 6}

    def value_at(start):
        day = datetime.fromtimestamp(start // NS, UTC).weekday()
        return 40.0 if day not in weekend or start >= saturday_ns - HOUR_NS else 4.0

    assert state(BASELINE, by_hour(value_at), now_ns=saturday_ns) == "breach"
    assert state(BASELINE, by_hour(value_at), now_ns=saturday_ns - DAY_NS) == "clear"


def test_growth_is_not_a_spike():
    """Cost that grows 5 % a day is, today, within twice of what the last week makes us expect."""
    grown = by_hour(lambda start: 20.0 * 1.05 ** ((start - NOW_NS) / DAY_NS))
    assert state(BASELINE, grown) == "clear"


def test_noise_widens_the_threshold():
    """Where past days differ much, more than twice the median is needed."""
    values = {ago: 10.0 if ago % 2 else 40.0 for ago in range(1, 29)}
    past = [(ago, True, {"a": value}) for ago, value in values.items()]
    expected, deviation, days = expected_value(past, "a")
    assert (expected, days) == (25.0, 28)
    assert deviation > 20


def test_one_bad_day_does_not_move_the_baseline():
    """The median shrugs at last week's incident: the next one is a breach too."""
    once = by_hour(lambda start: 500.0 if NOW_NS - 8 * DAY_NS <= start < NOW_NS - 7 * DAY_NS else 10.0)

    def with_spike(stretch):
        return {"a": {"cost_usd": 60.0}} if stretch.to_ns == NOW_NS else once(stretch)

    assert state(BASELINE, with_spike) == "breach"


def test_what_is_usual_is_said_in_its_unit():
    """Nobody reads a minute and a half as 9e+10."""
    condition = Baseline(2.0, 1.0, 0.0, 28, 3)
    rule = replace(RULE, value="p95", unit="ns", condition=condition)
    slow = judge(rule, NOW_NS, lambda stretch: {"a": {"p95": 9e11 if stretch.to_ns == NOW_NS else 9e10}})["a"]
    assert (slow.state, slow.detail) == ("breach", "usually 1 min 30 s at this hour")


def test_one_dear_run_among_few_is_chance():
    """What exceeds the threshold by less than chance moves it is no spike: it holds, and says so."""
    rule = replace(RULE, condition=Baseline(2.0, 5.0, 4.0, 28, 3, noise="noise"))

    def read(stretch, noise=0.0):
        return {"a": {"cost_usd": 30.0 if stretch.to_ns == NOW_NS else 10.0, "noise": noise}}

    assert state(rule, read) == "breach"
    assert state(rule, lambda stretch: read(stretch, noise=4.0)) == "breach"
    verdict = judge(rule, NOW_NS, lambda stretch: read(stretch, noise=6.0))["a"]
    assert (verdict.state, verdict.threshold) == ("hold", 20.0)
    assert "may be chance" in verdict.detail


def test_a_percentile_of_few_says_nothing():
    """A latency that rests on too few runs is no verdict, and past days that do are left out."""
    condition = Baseline(2.0, 1.0, 0.0, 28, 3, sample="ended", min_sample=10)
    rule = replace(RULE, value="p95", condition=condition)

    def read(stretch, sample=50):
        is_now = stretch.to_ns == NOW_NS
        is_odd = (NOW_NS - stretch.to_ns) // DAY_NS % 2
        ended = sample if is_now else (2 if is_odd else 20)
        return {"a": {"p95": 25.0 if is_now else (500.0 if is_odd else 10.0), "ended": ended}}

    assert state(rule, read) == "breach"
    assert state(rule, lambda stretch: read(stretch, sample=5)) == "hold"


ABSENCE = replace(RULE, value="runs", window_s=1_800, condition=Absence(86_400, 3, 5.0))


def runs(value_at):
    return by_hour(value_at, group="", column="runs")


def test_silence_after_traffic_is_missed():
    """No runs for half an hour, where on each past day there were ten, is a breach; one run is none."""
    stopped = runs(lambda start: 0 if start >= NOW_NS - HOUR_NS else 20)
    assert state(ABSENCE, stopped, group="") == "breach"
    assert state(ABSENCE, runs(lambda _start: 2), group="") == "clear"


def test_silence_at_a_quiet_hour_is_not_missed():
    """At an hour that was quiet on other days nothing is missed."""
    quiet = runs(lambda start: 0 if (start - NOW_NS) % DAY_NS >= DAY_NS - 3 * HOUR_NS else 20)
    assert state(ABSENCE, quiet, group="") == "clear"


def test_none_of_a_few_may_be_chance():
    """Where a window usually has three runs, none is chance."""
    few = runs(lambda start: 0 if start >= NOW_NS - HOUR_NS else 6)
    assert state(ABSENCE, few, group="") == "clear"


def test_a_quiet_weekend_is_not_missed():
    """Saturdays are held against Saturdays and Sundays, however busy the week was."""
    saturday_ns = NOW_NS + 3 * DAY_NS
    weekdays = runs(lambda start: 20 if datetime.fromtimestamp(start // NS, UTC).weekday() < 5 else 0)
    assert state(ABSENCE, weekdays, group="", now_ns=saturday_ns, active=[""]) == "clear"


def test_on_the_first_days_nothing_is_missed():
    """Without three days like today nobody knows what is usual at this hour."""
    young = runs(lambda start: 20 if NOW_NS - 2 * DAY_NS < start < NOW_NS - HOUR_NS else 0)
    assert state(ABSENCE, young, group="") == "clear"


def test_what_never_was_is_not_missed():
    """An empty store raises no alert, and what is gone for longer than a day is not missed any more."""
    assert judge(ABSENCE, NOW_NS, reading({})) == {}
    gone = runs(lambda start: 20 if start < NOW_NS - 2 * DAY_NS else 0)
    assert state(ABSENCE, gone, group="", active=[""]) == "hold"


FORECAST = replace(RULE, condition=Forecast(100.0, "day", 7), window_s=86_400)


def test_a_forecast_adds_the_usual_rest_of_the_day():
    """At noon $48 of $4 an hour are spent and $48 are to come: within $100; at $5 an hour it is not."""
    verdict = judge(FORECAST, NOW_NS, by_hour(lambda _start: 4.0))["a"]
    assert (verdict.state, round(verdict.value or 0)) == ("clear", 96)
    verdict = judge(FORECAST, NOW_NS, by_hour(lambda _start: 5.0))["a"]
    assert (verdict.state, round(verdict.value or 0)) == ("breach", 120)
    assert verdict.detail == "$60.00 so far, $60.00 to come by the end of the day"


def test_a_forecast_without_history_waits_for_the_money():
    """On the first day nothing is foretold: the alert comes when the budget is spent, not before."""
    young = by_hour(lambda start: 8.0 if start >= NOW_NS - 12 * HOUR_NS else 0.0)
    assert judge(FORECAST, NOW_NS, young)["a"].state == "clear"
    spent = by_hour(lambda start: 9.0 if start >= NOW_NS - 12 * HOUR_NS else 0.0)
    assert judge(FORECAST, NOW_NS, spent)["a"].state == "breach"


def test_a_monthly_forecast_adds_the_usual_days():
    """On the 18th at noon of a 31-day month, $24 a day make $744 in all."""
    rule = replace(FORECAST, condition=Forecast(700.0, "month", 7))
    verdict = judge(rule, NOW_NS, by_hour(lambda _start: 1.0))["a"]
    assert (verdict.state, round(verdict.value or 0)) == ("breach", 744)


def test_a_month_is_read_day_by_day():
    """What comes late for one day leaves the answers about the others as they are; no moment is left out or read twice.

    The month of this one begins before the clocks of its time zone are moved.
    """
    rule = replace(FORECAST, condition=Forecast(700.0, "month", 7), timezone="Europe/Berlin")
    now_ns = int(datetime(2026, 3, 30, 10, 20, 5, tzinfo=UTC).timestamp()) * NS
    first_ns = int(datetime(2026, 2, 28, 23, 0, tzinfo=UTC).timestamp()) * NS
    asked = set()
    judge(rule, now_ns, lambda stretch: asked.add(stretch) or {})
    month, at_ns = [], first_ns
    while at_ns < now_ns:
        month.append(next(one for one in sorted(asked) if one.from_ns == at_ns))
        at_ns = month[-1].to_ns
    assert at_ns == now_ns
    hours = [one.seconds / 3_600 for one in month]
    assert hours[:-3] == [*[24.0] * 28, 23.0]
    assert [one.to_ns for one in month[-3:]] == [now_ns - 1_205 * NS, now_ns - 305 * NS, now_ns]
