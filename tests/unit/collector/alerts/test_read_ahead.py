"""What a replay reads, known before it begins."""

from random import Random

import pytest

from loopwatch_collector.alerts.durations import NS
from loopwatch_collector.alerts.ranges import Range
from loopwatch_collector.alerts.read_ahead import in_pieces, read_ahead
from loopwatch_collector.alerts.replay import default_step_s, moments, replay
from loopwatch_collector.alerts.rule import Baseline, Rate, Rule
from loopwatch_collector.alerts.rulebook import delivered_rules

HOUR_NS = 3_600 * NS
START_NS = 1_790_856_000 * NS


def made_up(rule: Rule, stretch: Range):
    """An answer that depends on nothing but the range: two groups, now and then one of them without rows."""
    chance = Random(hash(stretch))
    condition = rule.condition
    highest = 2 * condition.floor if isinstance(condition, Baseline) else 600.0
    columns = {rule.value: chance.random() * highest}
    if isinstance(condition, Baseline):
        columns |= {name: 100.0 * chance.random() for name in (condition.sample, condition.noise) if name}
    if isinstance(condition, Rate):
        columns |= dict.fromkeys(condition.of, 2 * columns[rule.value])
    return {group: columns for group in ("a", "b") if chance.random() < 0.8}


@pytest.mark.parametrize("rule", delivered_rules(), ids=lambda rule: rule.name)
def test_all_that_a_replay_reads_is_known_before(rule):
    """A replay finds every range it asks for, none was read in vain, and it says what it says reading by itself."""
    stretch = Range(START_NS, START_NS + 8 * HOUR_NS)
    step_s = max(1_800, default_step_s(rule, stretch))
    known = read_ahead(rule, moments(stretch, step_s), lambda piece: {one: made_up(rule, one) for one in piece})
    read = set()

    def read_alone(one):
        read.add(one)
        return made_up(rule, one)

    alone = replay(rule, "p", stretch, lambda _: read_alone, step_s)
    ahead = replay(rule, "p", stretch, lambda _: known.__getitem__, step_s)
    assert ahead.groups
    assert ahead == alone
    assert known.keys() == read


def hours(*starts, lasts_h=1):
    return [Range(start * HOUR_NS, (start + lasts_h) * HOUR_NS) for start in starts]


@pytest.mark.parametrize(
    ("stretches", "expected"),
    [
        ([], []),
        (hours(0, 1, 2), [3]),
        (hours(0, 3, 30, 31), [2, 2]),
        (hours(0, 24, 48), [1, 1, 1]),
        (hours(*range(100)), [64, 36]),
        ([*hours(0, 12, 24, lasts_h=24), *hours(5, 40)], [5]),
    ],
    ids=["none", "in a row", "two stretches", "an hour of each day", "many", "over each other"],
)
def test_ranges_beside_each_other_are_one_question(stretches, expected):
    """Each range is asked for once, at most 64 in a question, and no question reads much between its ranges."""
    pieces = in_pieces(stretches[::-1])
    assert [len(piece) for piece in pieces] == expected
    assert sorted(one for piece in pieces for one in piece) == sorted(stretches)
