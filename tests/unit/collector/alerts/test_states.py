"""An alert's way from the first breach to the end, and what is said on it."""

from dataclasses import replace

import pytest

from loopwatch_collector.alerts.conditions import Verdict
from loopwatch_collector.alerts.durations import NS
from loopwatch_collector.alerts.rule import Rule, Threshold
from loopwatch_collector.alerts.states import REOPEN_WITHIN_S, advance, alert_id_of, hold_s, speak

RULE = Rule("r", "R", "spend_by", "cost_usd", "usd", Threshold(50.0, None, 40.0), 3_600, for_s=60, resolve_after_s=300)
BREACH, HOLD, CLEAR = (
    Verdict(state, value, 50.0) for state, value in (("breach", 60.0), ("hold", 45.0), ("clear", 1.0))
)


def run(verdicts, rule=RULE, step_s=30, start_s=1_000):
    """Advances an alert through verdicts, one every step; returns it and the states it went through."""
    alert, states = None, []
    for index, verdict in enumerate(verdicts):
        alert = advance(alert, rule, "p", "g", verdict, (start_s + index * step_s) * NS)
        states.append(alert.state if alert else None)
    return alert, states


def test_a_breach_must_last_before_it_fires():
    """Pending until `for` has passed, then firing since then; started is the first breach."""
    alert, states = run([CLEAR, BREACH, BREACH, BREACH])
    assert states == [None, "pending", "pending", "firing"]
    assert (alert.started_at_ns, alert.fired_at_ns) == (1_030 * NS, 1_090 * NS)


def test_a_short_breach_is_dropped_and_not_told():
    """A pending alert that clears is dropped; the next breach is an alert of its own."""
    alert, states = run([BREACH, CLEAR, BREACH])
    assert states == ["pending", "dropped", "pending"]
    assert alert.alert_id == alert_id_of("p", "r", "g", 1_060 * NS)


def test_without_for_it_fires_at_once():
    """A rule with for = 0 fires with the first breach."""
    assert run([BREACH], replace(RULE, for_s=0))[1] == ["firing"]


def test_it_is_resolved_only_after_being_clear_for_a_while():
    """Clear for the hold time resolves; hold (between clear and threshold) neither ends nor restarts that."""
    rule = replace(RULE, for_s=0, resolve_after_s=90)
    assert run([BREACH, CLEAR, HOLD, CLEAR, CLEAR], rule)[1] == ["firing", "firing", "firing", "firing", "resolved"]
    assert run([BREACH, CLEAR, CLEAR, BREACH, CLEAR, CLEAR, CLEAR], rule)[1][-1] == "firing"


def test_a_return_is_the_same_alert_and_must_be_clear_for_longer():
    """Within the reopening time a breach reopens the alert; with each return the hold time doubles, up to eightfold."""
    rule = replace(RULE, for_s=0, resolve_after_s=30)
    alert, states = run([BREACH, CLEAR, CLEAR, BREACH, CLEAR, CLEAR, CLEAR], rule)
    assert states == ["firing", "firing", "resolved", "firing", "firing", "firing", "resolved"]
    assert alert.flaps == 1
    assert [hold_s(rule, flaps) for flaps in (0, 1, 2, 3, 9)] == [30, 60, 120, 240, 240]


def test_long_after_it_is_another_alert():
    """A breach after the reopening time begins a new alert."""
    rule = replace(RULE, for_s=0, resolve_after_s=0)
    old, _ = run([BREACH, CLEAR], rule)
    later = old.resolved_at_ns + (REOPEN_WITHIN_S + 1) * NS
    new = advance(old, rule, "p", "g", BREACH, later)
    assert new.alert_id != old.alert_id
    assert (new.flaps, new.started_at_ns) == (0, later)


def test_the_peak_is_kept():
    """The furthest value is remembered, above or below."""
    rule = replace(RULE, for_s=0)
    alert, _ = run([Verdict("breach", value, 50.0) for value in (60.0, 90.0, 70.0)], rule)
    assert (alert.value, alert.peak_value) == (70.0, 90.0)
    below = replace(rule, condition=Threshold(None, 50.0, 50.0))
    alert, _ = run([Verdict("breach", value, 50.0) for value in (40.0, 10.0, 30.0)], below)
    assert alert.peak_value == 10.0


def test_the_id_is_a_function_of_the_alert():
    """The same project, rule, group and start have the same id in every process; any other differs."""
    ids = {
        alert_id_of(*parts)
        for parts in (("p", "r", "g", 1), ("p", "r", "g", 2), ("p", "rg", "", 1), ("q", "r", "g", 1))
    }
    assert len(ids) == 4
    assert alert_id_of("p", "r", "g", 1) == alert_id_of("p", "r", "g", 1)


def said(alert):
    return [(one.number, one.kind, one.channel) for one in alert.deliveries]


def say(alert, now_s, rule=RULE, **changes):
    options = {"silenced": False, "acknowledged": False, "channels": ("ops",)} | changes
    return speak(alert, rule, now_s * NS, **options)


def firing(rule=RULE):
    alert, _ = run([BREACH], replace(rule, for_s=0))
    return alert


def test_one_incident_is_one_message():
    """However often it is evaluated, a firing alert is said once per channel, and once when it is over."""
    alert = firing()
    for now_s in (1_000, 1_010, 1_020):
        alert = say(alert, now_s, channels=("ops", "pager"))
    assert said(alert) == [(1, "firing", "ops"), (1, "firing", "pager")]
    over = replace(alert, state="resolved", resolved_at_ns=1_400 * NS)
    for now_s in (1_400, 1_410):
        over = say(over, now_s)
    assert said(over)[2:] == [(2, "resolved", "ops")]


def test_it_is_said_again_until_somebody_knows():
    """After the reminder time it is said again, unless it was acknowledged or the rule wants no reminders."""
    alert = say(firing(), 1_000)
    due_s = 1_000 + RULE.renotify_after_s
    assert said(say(alert, due_s - 1)) == [(1, "firing", "ops")]
    assert said(say(alert, due_s))[-1] == (2, "reminder", "ops")
    assert len(said(say(alert, due_s, acknowledged=True))) == 1
    assert len(said(say(alert, due_s, rule=replace(RULE, renotify_after_s=0)))) == 1


def test_a_silence_holds_the_message_back():
    """Silenced, nothing is said; when the silence ends while it fires, it is said then."""
    alert = say(firing(), 1_000, silenced=True)
    assert said(alert) == []
    assert said(say(alert, 1_100)) == [(1, "firing", "ops")]


def test_the_end_of_what_was_never_said_is_not_said():
    """An alert that came and went while silenced leaves no message."""
    alert = say(firing(), 1_000, silenced=True)
    over = replace(alert, state="resolved", resolved_at_ns=1_200 * NS)
    assert said(say(over, 1_300)) == []


def test_a_return_is_said_again():
    """After the end was said, a reopened alert is said to fire again, under a new number."""
    rule = replace(RULE, for_s=0, resolve_after_s=0)
    alert = say(firing(rule), 1_000, rule)
    alert = say(advance(alert, rule, "p", "g", CLEAR, 1_030 * NS), 1_030, rule)
    alert = say(advance(alert, rule, "p", "g", BREACH, 1_060 * NS), 1_060, rule)
    assert [entry[1] for entry in said(alert)] == ["firing", "resolved", "firing"]
    assert [entry[0] for entry in said(alert)] == [1, 2, 3]


@pytest.mark.parametrize("state", ["pending", "dropped"])
def test_what_never_fired_is_never_said(state):
    """Pending and dropped alerts queue nothing."""
    assert said(say(replace(firing(), state=state), 1_000)) == []


def test_history_is_kept_and_bounded():
    """Each change of state is an entry; the oldest go when there are hundreds."""
    alert, _ = run([BREACH, BREACH, BREACH])
    assert [entry.event for entry in alert.history] == ["pending", "firing"]
    for index in range(500):
        alert = alert.noted(index, "x")
    assert len(alert.history) == 200
