"""What lies before the store's first day: asked for once, and read as soon as an earlier day has come."""

import time

import pytest

from loopwatch_collector.alerts import reading
from loopwatch_collector.alerts.own_health import OwnHealth
from loopwatch_collector.alerts.ranges import past_windows
from loopwatch_collector.alerts.reading import RuleReader
from loopwatch_collector.alerts.rulebook import delivered_rules
from loopwatch_collector.metrics import Metrics
from tests.integration.collector.alerts.conftest import call, put

NOW_NS = time.time_ns()
HOUR_S = 3_600
RULE = next(rule for rule in delivered_rules() if rule.name == "cost-spike")
PAST = [window for _, window in past_windows(NOW_NS, HOUR_S, 28, "UTC")]


@pytest.fixture
def reader(store):
    """A reader over a store whose first day is today."""
    put(store, [call(NOW_NS, 2.5)])
    return RuleReader(store.connection, "default", OwnHealth(Metrics()))


@pytest.fixture
def asked(monkeypatch):
    """The ranges that the store is asked about, as they come."""
    ranges = []
    ask, ask_each = reading.ask, reading.ask_each

    def noted(connection, question, settings):
        ranges.append((question.from_ns, question.to_ns))
        return ask(connection, question, settings)

    def each_noted(connection, question, filter_sets, settings):
        ranges.extend((one.from_ns, one.to_ns) for one in filter_sets)
        return ask_each(connection, question, filter_sets, settings)

    monkeypatch.setattr(reading, "ask", noted)
    monkeypatch.setattr(reading, "ask_each", each_noted)
    return ranges


def test_four_empty_weeks_are_one_question(reader, asked):
    """The same hour of 28 past days, read one by one as an evaluation does, is one range before the first day."""
    assert [reader.read(RULE, NOW_NS, window) for window in PAST] == [{}] * 28
    assert len(asked) == 1


def test_a_replay_over_them_is_one_question_too(reader, asked):
    """Many ranges at once, as a replay reads them, are one range before the first day, and each gets its answer."""
    assert reader.read_each(RULE, NOW_NS, PAST) == {window: {} for window in PAST}
    assert len(asked) == 1


def test_an_earlier_day_that_comes_is_read(store, reader):
    """Spans of three days ago that arrive after those days were found empty are in the next answer about them."""
    assert reader.read(RULE, NOW_NS, PAST[2]) == {}
    at_ns = PAST[2].from_ns + 60 * 10**9
    put(store, [call(at_ns, 4.0)])
    reader.forget([PAST[2]], NOW_NS)
    assert reader.read(RULE, NOW_NS, PAST[2])["resolver"]["cost_usd"] == 4.0
    assert reader.read(RULE, NOW_NS, PAST[3]) == {}
