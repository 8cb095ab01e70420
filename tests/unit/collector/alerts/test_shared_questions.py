"""Which rules share a question, and for how long an answer holds."""

from collections import Counter
from dataclasses import replace

import pytest

from loopwatch_collector.alerts.asking import Asking, asker_of
from loopwatch_collector.alerts.errors import OutOfTime
from loopwatch_collector.alerts.kept_answers import KeptAnswers
from loopwatch_collector.alerts.ranges import Range
from loopwatch_collector.alerts.rule import Rule, Threshold
from loopwatch_collector.alerts.shared_questions import SharedQuestions, question_of
from loopwatch_collector.queries.catalogue import NamedQuery, catalogue

RULE = Rule("r", "R", "spend_by", "cost_usd", "usd", Threshold(50.0, None, 50.0), 3_600)
RANGE = Range(1_000, 2_000)


def for_customer(name: str, **changes) -> Rule:
    """The rule with a filter."""
    return replace(RULE, filters={"customer": (name,)}, **changes)


def arranged(*rules, now_s=lambda: 0.0):
    """Shared questions that know of rules."""
    shared = SharedQuestions(now_s)
    shared.arrange(rules)
    return shared


def question(shared, rule):
    """With whom a rule is asked about its window that ends now."""
    return shared.askers(rule, of_all_windows=True)


def in_the_past(shared, rule):
    """With whom it is asked about another range."""
    return shared.askers(rule, of_all_windows=False)


def over(window_s: int, **changes) -> Rule:
    """The rule with a window."""
    return replace(RULE, window_s=window_s, **changes)


def test_rules_that_differ_in_filters_and_window_are_one_question():
    """Value, condition and title do not matter; parameters and query do."""
    same = [RULE, for_customer("acme"), for_customer("zeta", value="tokens", title="Z"), over(7_200)]
    other = for_customer("b", params={"dimension": "agent"})
    shared = arranged(*same, other, for_customer("c", query="outcomes_by"))
    together = question(shared, RULE)
    assert set(together) == {asker_of(rule) for rule in same}
    assert {question(shared, rule) for rule in same} == {together}
    assert question(shared, other) == (asker_of(other),)


def test_the_past_is_asked_about_with_rules_of_the_same_window():
    """Their ranges are the same there; those of other windows are not, and end at other moments."""
    same, longer = [RULE, for_customer("acme")], [over(7_200), for_customer("acme", window_s=7_200)]
    shared = arranged(*same, *longer)
    assert {in_the_past(shared, rule) for rule in same} == {tuple(sorted(asker_of(rule) for rule in same))}
    assert {in_the_past(shared, rule) for rule in longer} == {tuple(sorted(asker_of(rule) for rule in longer))}


def windows_together(*rules):
    """The windows of each question."""
    shared = arranged(*rules)
    return {tuple(asker.window_s for asker in question(shared, rule)) for rule in rules}


@pytest.mark.parametrize(
    ("windows_s", "expected"),
    [
        ((300, 3_600), {(300, 3_600)}),
        ((299, 3_600), {(299,), (3_600,)}),
        ((300, 3_600, 7_200), {(300,), (3_600, 7_200)}),
        ((3_600, 21_600), {(3_600, 21_600)}),
        ((7_200, 21_601, 86_400), {(7_200,), (21_601,), (86_400,)}),
    ],
)
def test_windows_of_very_different_length_are_apart(windows_s, expected):
    """Up to six hours, the longest takes in those that are at least a twelfth as long; beyond, none."""
    assert windows_together(*(over(window_s) for window_s in windows_s)) == expected


def test_long_windows_are_shared_with_their_like():
    """Of two days, those that differ in their filters alone are one question."""
    assert windows_together(over(172_800), for_customer("a", window_s=172_800)) == {(172_800, 172_800)}


def test_a_window_that_is_looked_at_seldom_is_not_read_often():
    """The longer one is asked apart; a shorter one, or as long a one, is read along with what is read anyway."""
    seldom = {"every_s": 600}
    assert windows_together(RULE, over(7_200, **seldom)) == {(3_600,), (7_200,)}
    assert windows_together(RULE, over(1_800, **seldom), for_customer("a", **seldom)) == {(1_800, 3_600, 3_600)}
    assert windows_together(over(7_200, **seldom), over(7_200), RULE) == {(3_600, 7_200)}


def test_a_rule_nobody_arranged_asks_for_itself():
    """A replayed rule, or one that was made a moment ago, is asked about alone."""
    assert question(arranged(RULE), for_customer("new")) == (asker_of(for_customer("new")),)


@pytest.mark.parametrize("query", ["collector", "losses", "releases", "latency"])
def test_a_query_that_does_not_tell_filters_apart_is_asked_alone(query):
    """Those are the collector's own, and all but the few queries that say so."""
    rules = [for_customer(name, query=query) for name in ("acme", "zeta")]
    assert question(arranged(*rules), rules[0]) == (asker_of(rules[0]),)


def test_a_query_that_does_not_tell_windows_apart_has_a_question_for_each(monkeypatch):
    """Its rules of one window are one question all the same."""
    text = "SELECT toUInt8(0) AS filter_set, {from_ns:Int64} AS began_ns"
    monkeypatch.setitem(catalogue(), "began", NamedQuery("began", text_for_filter_sets=text))
    rules = [for_customer(name, query="began", window_s=seconds) for name in ("a", "b") for seconds in (60, 120)]
    assert windows_together(*rules) == {(60, 60), (120, 120)}
    assert question_of(rules[0]) == question_of(rules[2]) != question_of(rules[1])


def test_a_hundred_rules_are_two_questions():
    """The engine's number has 64 bits: a rule is asked with the 63 beside it, each in exactly one question."""
    rules = [for_customer(f"customer-{number:03}") for number in range(100)]
    shared = arranged(*rules)
    questions = {question(shared, rule) for rule in rules}
    assert sorted(len(one) for one in questions) == [36, 64]
    assert all(asker_of(rule) in question(shared, rule) for rule in rules)


@pytest.mark.parametrize(
    ("rules_by_window", "expected"),
    [
        ({900: 40, 1_800: 40}, [{900: 40}, {1_800: 40}]),
        ({900: 60, 1_800: 60, 3_600: 8}, [{900: 60, 1_800: 4}, {1_800: 56, 3_600: 8}]),
        ({900: 10, 1_800: 90, 3_600: 20}, [{900: 10, 1_800: 54}, {1_800: 36, 3_600: 20}]),
        ({900: 64, 1_800: 64}, [{900: 64}, {1_800: 64}]),
    ],
)
def test_rules_of_one_window_are_cut_only_where_that_saves_a_question(rules_by_window, expected):
    """As few questions as can be; with places to spare, the cut is between two windows."""
    rules = [
        for_customer(f"customer-{number:03}", window_s=window_s)
        for window_s, count in rules_by_window.items()
        for number in range(count)
    ]
    shared = arranged(*rules)
    questions = sorted({question(shared, rule) for rule in rules}, key=lambda askers: askers[0].window_s)
    assert sorted(asker for one in questions for asker in one) == sorted(asker_of(rule) for rule in rules)
    assert [dict(Counter(asker.window_s for asker in one)) for one in questions] == expected


def test_rules_whose_question_failed_ask_apart_for_ten_minutes():
    """At first those of one window go on sharing, those of another too; when that fails as well, each asks alone."""
    now_s = 0.0
    rules = [RULE, for_customer("acme"), over(7_200), for_customer("acme", window_s=7_200)]
    shared = arranged(*rules, now_s=lambda: now_s)
    acme = rules[1]
    for expected in (4, 2, 1):
        assert len(question(shared, acme)) == expected
        shared.part(acme, question(shared, acme))
    assert in_the_past(shared, acme) == (asker_of(acme),)
    assert len(question(shared, rules[2])) == 2
    shared.arrange(rules)
    assert question(shared, acme) == (asker_of(acme),)
    now_s = 600.0
    assert len(question(shared, acme)) == 4


def test_an_answer_holds_for_its_time():
    """Found until it expires, and nothing else is."""
    now_s = 0.0
    kept = KeptAnswers(lambda: now_s)
    kept.keep({("q", RANGE): {"": {"runs": 1.0}}}, 10.0, kept.arrived)
    assert kept.find(("q", RANGE), 0) == {"": {"runs": 1.0}}
    assert kept.find(("other", RANGE), 0) is None
    now_s = 10.0
    assert kept.find(("q", RANGE), 0) is None


def test_data_makes_answers_about_its_time_old():
    """For who began before it came they hold; for who began after they do not, and those about other times do."""
    kept = KeptAnswers(lambda: 0.0)
    later = Range(2_000, 3_000)
    kept.keep({("q", RANGE): {}, ("q", later): {}}, 10.0, kept.arrived)
    kept.note_arrival([Range(1_500, 1_600)])
    assert kept.find(("q", RANGE), 0) == {}
    assert kept.find(("q", RANGE), 1) is None
    assert kept.find(("q", later), 1) == {}


def test_an_answer_asked_for_before_data_came_may_lack_it():
    """Data that came while the store was asked may not be in the answer."""
    kept = KeptAnswers(lambda: 0.0)
    asked_at = kept.arrived
    kept.note_arrival([RANGE])
    kept.keep({("q", RANGE): {}}, 10.0, asked_at)
    assert kept.find(("q", RANGE), asked_at) == {}
    assert kept.find(("q", RANGE), kept.arrived) is None


def test_a_question_is_not_begun_out_of_time():
    """With two seconds left the engine is given two; with none nothing is asked."""
    asking = Asking(RULE, RANGE, until_s=10.0)
    assert asking.settings(8.0)["max_execution_time"] == 2.0
    assert Asking(RULE, RANGE, until_s=None).settings(8.0)["max_execution_time"] == 30
    with pytest.raises(OutOfTime, match="rule r"):
        asking.settings(10.0)
