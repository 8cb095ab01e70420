"""When a rule is due."""

from dataclasses import replace

from loopwatch_collector.alerts.rule import Rule, Threshold
from loopwatch_collector.alerts.schedule import Schedule, idle_s

RULE = Rule("r", "R", "spend_by", "cost_usd", "usd", Threshold(50.0, None, 50.0), 3_600, every_s=10)
KEY = ("default", "r")
OLD, NEW = (1, 1), (2, 1)


def times_due(schedule, rule, moments, version=OLD, *, is_active=False):
    """The moments at which a rule is begun, each evaluation ending at once."""
    due = []
    for now_s in moments:
        if schedule.begin(KEY, rule, now_s, version, is_active=is_active):
            schedule.end(KEY, 0.01)
            due.append(now_s)
    return due


def test_without_new_data_a_rule_is_asked_seldom():
    """While nothing is stored the window slides on: a twelfth of it, at most five minutes, is often enough."""
    assert idle_s(RULE) == 300
    assert times_due(Schedule(), RULE, range(0, 900, 5)) == [0, 300, 600]
    assert idle_s(replace(RULE, window_s=600)) == 50


def test_new_data_makes_it_due_at_its_own_pace():
    """As soon as something was stored, but no more often than `every`."""
    schedule = Schedule()
    assert times_due(schedule, RULE, [0]) == [0]
    assert times_due(schedule, RULE, [3, 9, 11, 15], version=NEW) == [11]


def test_an_active_alert_keeps_it_at_its_pace():
    """A pending or firing alert has times that go on without data."""
    assert times_due(Schedule(), RULE, range(0, 31), is_active=True) == [0, 10, 20, 30]


def test_a_rule_never_runs_twice_at_once():
    """While an evaluation is under way the rule is not begun again, however long it takes."""
    schedule = Schedule()
    assert schedule.begin(KEY, RULE, 0, OLD, is_active=True)
    assert not schedule.begin(KEY, RULE, 60, NEW, is_active=True)
    schedule.end(KEY, 60)
    assert schedule.begin(KEY, RULE, 61, NEW, is_active=True)


def test_a_slow_rule_is_known_as_such():
    """After an evaluation that took long the rule goes to a lane of its own, and back when it is quick again."""
    schedule = Schedule()
    schedule.begin(KEY, RULE, 0, OLD, is_active=True)
    schedule.end(KEY, 5.0)
    assert schedule.is_slow(KEY)
    schedule.begin(KEY, RULE, 20, OLD, is_active=True)
    schedule.end(KEY, 0.1)
    assert not schedule.is_slow(KEY)
