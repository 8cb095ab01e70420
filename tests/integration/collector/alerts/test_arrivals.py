"""What a look at the store's parts tells: whose data came, and for which times."""

import time

import pytest

from loopwatch_collector.alerts.arrivals import Arrivals
from loopwatch_collector.alerts.rule import Rule, Threshold

HOUR_NS = 3_600 * 10**9


def rule(**filters):
    return Rule(
        "r", "R", "spend_by", "cost_usd", "usd", Threshold(50.0, None, 50.0), 3_600,
        filters={name: (value,) for name, value in filters.items()},
    )  # fmt: skip


@pytest.fixture
def look(store):
    """Looks at the store as the engine does; the first look, which tells of anything, is made."""
    arrivals = Arrivals()
    assert arrivals.look(store.connection(), time.time_ns()).scopes is None
    return lambda: arrivals.look(store.connection(), time.time_ns())


def test_nothing_new_is_nothing(look, spend):
    """After a look at what came, the next one is empty."""
    assert look().is_empty
    spend(5)
    assert not look().is_empty
    assert look().is_empty


def test_only_rules_that_look_at_it_are_concerned(look, spend):
    """Filters on customer, model and agent decide, and the project; a rule without filters is always concerned."""
    spend(5, customer="acme")
    arrival = look()
    concerned = [rule(), rule(customer="acme"), rule(model="opus"), rule(agent="resolver", customer="acme")]
    assert all(arrival.concerns("default", one) for one in concerned)
    others = [rule(customer="zeta"), rule(agent="triage"), rule(model="opus", customer="zeta")]
    assert not any(arrival.concerns("default", one) for one in others)
    assert not arrival.concerns("another", rule())


def test_a_merge_is_no_news(store, look, spend):
    """Parts that the engine merged hold nothing new."""
    for _ in range(3):
        spend(5)
    look()
    store.connection().run("OPTIMIZE TABLE spans FINAL")
    store.connection().run("OPTIMIZE TABLE runs FINAL")
    assert look().is_empty


def test_what_was_merged_before_anybody_looked_is_news(store, look, spend):
    """A new span in a part that was merged at once is found there, and what lay in the part before is left out."""
    spend(5, customer="old", row_version=1)
    look()
    spend(5, customer="new")
    store.connection().run("OPTIMIZE TABLE spans FINAL")
    arrival = look()
    assert arrival.concerns("default", rule(customer="new"))
    assert "old" not in {scope.customer for scope in arrival.scopes}


def test_late_data_names_its_time(look, spend):
    """Spans of three hours ago are late, by the quarter of an hour they belong to; those of now are not."""
    spend(5)
    assert look().late == []
    at_ns = time.time_ns() - 3 * HOUR_NS
    spend(5, ago_s=3 * 3_600)
    (late,) = look().late
    assert late.from_ns - 10**9 <= at_ns <= late.to_ns + 10**9
    assert late.seconds == 900
