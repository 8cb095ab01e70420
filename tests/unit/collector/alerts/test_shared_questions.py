"""Which rules share a question, and for how long an answer holds."""

from dataclasses import replace

import pytest

from loopwatch_collector.alerts.asking import Asking, filters_of
from loopwatch_collector.alerts.errors import OutOfTime
from loopwatch_collector.alerts.kept_answers import KeptAnswers
from loopwatch_collector.alerts.ranges import Range
from loopwatch_collector.alerts.rule import Rule, Threshold
from loopwatch_collector.alerts.shared_questions import SharedQuestions

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


def test_rules_that_differ_in_their_filters_alone_are_one_question():
    """Value, condition and title do not matter; window, parameters and query do."""
    same = [RULE, for_customer("acme"), for_customer("zeta", value="tokens", title="Z")]
    others = [for_customer("a", window_s=60), for_customer("b", params={"dimension": "agent"})]
    shared = arranged(*same, *others, for_customer("c", query="outcomes_by"))
    together = shared.filter_sets(RULE)
    assert set(together) == {filters_of(rule) for rule in same}
    assert {shared.filter_sets(rule) for rule in same} == {together}
    for other in others:
        assert shared.filter_sets(other) == (filters_of(other),)


def test_a_rule_nobody_arranged_asks_for_itself():
    """A replayed rule, or one that was made a moment ago, is asked about alone."""
    assert arranged(RULE).filter_sets(for_customer("new")) == (filters_of(for_customer("new")),)


@pytest.mark.parametrize("query", ["collector", "losses", "releases", "latency"])
def test_a_query_that_does_not_tell_filters_apart_is_asked_alone(query):
    """Those are the collector's own, and all but the few queries that say so."""
    rules = [for_customer(name, query=query) for name in ("acme", "zeta")]
    assert arranged(*rules).filter_sets(rules[0]) == (filters_of(rules[0]),)


def test_a_hundred_rules_are_two_questions():
    """The engine's number has 64 bits: a rule is asked with the 63 beside it, each in exactly one question."""
    rules = [for_customer(f"customer-{number:03}") for number in range(100)]
    shared = arranged(*rules)
    questions = {shared.filter_sets(rule) for rule in rules}
    assert sorted(len(one) for one in questions) == [36, 64]
    assert all(filters_of(rule) in shared.filter_sets(rule) for rule in rules)


def test_rules_whose_question_failed_ask_apart_for_ten_minutes():
    """Those of another window go on sharing."""
    now_s = 0.0
    longer = [for_customer("acme", window_s=7_200), for_customer("zeta", window_s=7_200)]
    shared = arranged(RULE, for_customer("acme"), *longer, now_s=lambda: now_s)
    shared.part(RULE)
    assert shared.filter_sets(for_customer("acme")) == (filters_of(for_customer("acme")),)
    assert len(shared.filter_sets(longer[0])) == 2
    now_s = 600.0
    assert len(shared.filter_sets(for_customer("acme"))) == 2


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
