"""When a rule is due."""

from dataclasses import replace
from itertools import pairwise

from loopwatch_collector.alerts.rule import Absence, Rule, Threshold
from loopwatch_collector.alerts.schedule import Schedule, idle_s

RULE = Rule("r", "R", "spend_by", "cost_usd", "usd", Threshold(50.0, None, 50.0), 3_600, every_s=10)
KEY = ("default", "r")


def times_due(schedule, rule, moments, *, is_active=False, news=(), found_nothing=False):
    """The moments at which a rule is begun, each evaluation ending at once."""
    due = []
    for now_s in moments:
        if now_s in news:
            schedule.note_news(KEY)
        if schedule.begin(KEY, rule, now_s, is_active=is_active):
            schedule.end(KEY, found_nothing=found_nothing)
            due.append(now_s)
    return due


def test_without_new_data_a_rule_is_asked_seldom():
    """While nothing comes the window slides on: a twelfth of it, at most five minutes, is often enough."""
    assert idle_s(RULE) == 300
    assert times_due(Schedule(), RULE, range(0, 900, 5)) == [0, 300, 600]
    assert idle_s(replace(RULE, window_s=600)) == 50


def test_a_part_of_nothing_is_not_asked_for():
    """A window that was empty stays so until data comes: then, and not before, the rule is evaluated again."""
    schedule = Schedule()
    assert times_due(schedule, RULE, range(0, 100_000, 100), found_nothing=True) == [0]
    assert times_due(schedule, RULE, range(100_000, 100_900, 100), news=[100_500]) == [100_500, 100_800]


def test_a_rule_on_absence_is_asked_although_there_is_nothing():
    """Nothing is what it waits for."""
    rule = replace(RULE, condition=Absence(86_400, 3, 5.0))
    assert times_due(Schedule(), rule, range(0, 900, 100), found_nothing=True) == [0, 300, 600]


def test_new_data_makes_it_due_at_its_own_pace():
    """As soon as something came that concerns it, but no more often than `every`."""
    schedule = Schedule()
    due = times_due(schedule, RULE, range(60), news=range(60))
    assert due[0] == 0
    assert {later - earlier for earlier, later in pairwise(due[1:])} == {10}


def test_an_active_alert_keeps_it_at_its_pace():
    """A pending or firing alert has times that go on without data."""
    due = times_due(Schedule(), RULE, range(60), is_active=True)
    assert {later - earlier for earlier, later in pairwise(due[1:])} == {10}


def test_rules_that_ask_the_same_are_due_together():
    """However they began, they come to the same moments, at which one answer serves them all."""
    first, second = Schedule(), Schedule()
    due = times_due(first, RULE, range(200), is_active=True)
    other = replace(RULE, name="other", condition=Threshold(9.0, None, 9.0))
    assert times_due(second, other, range(7, 200), is_active=True)[1:] == [at for at in due[1:] if at > 7]


def test_a_rule_never_runs_twice_at_once():
    """While an evaluation is under way the rule is not begun again, however long it takes."""
    schedule = Schedule()
    assert schedule.begin(KEY, RULE, 0, is_active=True)
    assert not schedule.begin(KEY, RULE, 60, is_active=True)
    schedule.end(KEY)
    assert schedule.begin(KEY, RULE, 61, is_active=True)


def test_what_takes_long_is_asked_less_often():
    """A question of a second passes a turn, so that rules take little of a busy machine; never more than one."""

    def gaps(duration_s):
        schedule, due = Schedule(), []
        for now_s in range(1, 400):
            if schedule.begin(KEY, RULE, now_s, is_active=True):
                schedule.end(KEY, duration_s=duration_s)
                due.append(now_s)
        return {later - earlier for earlier, later in pairwise(due[1:])}

    assert [gaps(duration_s) for duration_s in (0.05, 0.6, 0.9, 1.5, 30.0)] == [{10}, {10}, {20}, {20}, {20}]


def gaps_of_fifty(duration_s):
    """Seconds between the evaluations of fifty rules, which are done one after another, after some minutes."""
    schedule, due, free_s, running = Schedule(), {}, 0.0, []
    keys = [("default", f"r{number}") for number in range(50)]
    for tick in range(1, 4_200):
        now_s = tick / 10
        for key in [key for key, end_s in running if end_s <= now_s]:
            schedule.end(key, duration_s=duration_s, now_s=now_s)
        running = [(key, end_s) for key, end_s in running if end_s > now_s]
        for key in keys:
            if schedule.begin(key, RULE, now_s, is_active=True):
                free_s = max(free_s, now_s) + duration_s
                running.append((key, free_s))
                due.setdefault(key, []).append(round(now_s))
    return [later - earlier for moments in due.values() for earlier, later in pairwise(moments) if earlier > 200]


def test_all_rules_together_take_a_fifth_of_the_time():
    """Fifty rules that would be at work for three of ten seconds pass turns until it is two; for one, none does."""
    assert set(gaps_of_fifty(0.02)) == {10}
    gaps = gaps_of_fifty(0.06)
    assert set(gaps) == {10, 20}
    assert 0.17 < 50 * 0.06 / (sum(gaps) / len(gaps)) < 0.21


def test_a_slow_rule_in_its_own_lane_makes_no_other_wait():
    """However long it takes there, what it does counts for itself only."""
    schedule, slow = Schedule(), ("default", "slow")
    assert schedule.begin(slow, RULE, 0, is_active=True)
    schedule.set_slow(slow, is_slow=True)
    due = times_due(schedule, RULE, range(1, 300), is_active=True)
    assert {later - earlier for earlier, later in pairwise(due[1:])} == {10}


def moments_of(rules):
    """The different moments at which rules are due."""
    return {tuple(times_due(Schedule(), rule, range(20), is_active=True)) for rule in rules}


def test_rules_that_share_a_question_are_due_together():
    """Neither filters nor the window move a rule's moments, so that one question answers all; another group does."""
    assert len(moments_of(replace(RULE, filters={"customer": (name,)}) for name in ("acme", "zeta", "nobody"))) == 1
    windows_s = (600, 900, 1_800, 7_200)
    assert len(moments_of(replace(RULE, window_s=seconds) for seconds in windows_s)) == 1
    groups = ("agent", "model", "version", "environment")
    assert len(moments_of(replace(RULE, params={"dimension": group}) for group in groups)) > 1
    assert len(moments_of(replace(RULE, query="latency", window_s=seconds) for seconds in windows_s)) > 1


def test_a_rule_that_is_looked_at_less_often_is_due_with_those_it_shares_with():
    """Each of its moments is one of theirs, when its interval is a multiple of theirs."""
    often, seldom = (
        set(times_due(Schedule(), replace(RULE, every_s=seconds), range(1, 300), is_active=True)[1:])
        for seconds in (15, 60)
    )
    assert seldom < often


def test_a_changed_rule_is_due_at_once():
    """A new threshold is held against the data that is there; an equal rule, read anew, is no change."""
    schedule, changed = Schedule(), replace(RULE, condition=Threshold(5.0, None, 5.0))
    assert times_due(schedule, RULE, [0, 1], found_nothing=True) == [0]
    assert times_due(schedule, replace(RULE), [2], found_nothing=True) == []
    assert times_due(schedule, changed, [3, 4], found_nothing=True) == [3]
