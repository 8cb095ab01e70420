"""The query `sender_metrics`: counters, gauges and distributions over ranges."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from loopwatch_collector.queries.runner import Question, ask
from loopwatch_collector.store.rows import METRIC_POINT_COLUMNS
from loopwatch_collector.store.store import Store

MINUTE_NS = 60 * 10**9
BEGAN_NS = 1_790_000_000 * 10**9

Add = Callable[..., None]


@pytest.fixture
def add(store: Store) -> Add:
    """Stores one point of a metric."""

    def add(metric: str, minute: float, value: float, **values: Any) -> None:
        row: dict[str, Any] = {
            "metric": metric,
            "time": BEGAN_NS + int(minute * MINUTE_NS),
            "start_time": BEGAN_NS,
            "series": 1,
            "value": value,
            "points": 1,
            "kind": "counter",
            "attributes": {},
            **values,
        }
        columns = METRIC_POINT_COLUMNS
        store.insert_metric_points([[row.get(column.name, column.default) for column in columns]])

    return add


def _asked(store: Store, from_minute: float, to_minute: float) -> dict[str, tuple[float, int]]:
    question = Question(
        "sender_metrics", "default", BEGAN_NS + int(from_minute * MINUTE_NS), BEGAN_NS + int(to_minute * MINUTE_NS)
    )
    answer = ask(store.connection(), question)
    names = [column.name for column in answer.query.columns]
    rows = [dict(zip(names, row, strict=True)) for row in answer.rows]
    return {row["metric"]: (row["value"], row["points"]) for row in rows}


def test_a_gauge_is_its_last_value(store: Store, add: Add) -> None:
    """Points of a gauge are not added up: the last of the range counts, and running totals that may fall alike."""
    for minute, value in ((1, 5), (2, 7), (3, 4)):
        add("gen_ai.depth", minute, value, kind="gauge")
        add("gen_ai.open", minute, value, kind="gauge", is_cumulative=1)
    assert _asked(store, 0, 10) == {"gen_ai.depth": (4, 3), "gen_ai.open": (4, 3)}
    assert _asked(store, 0, 2.5) == {"gen_ai.depth": (7, 2), "gen_ai.open": (7, 2)}


def test_a_running_total_adds_up_over_adjacent_ranges(store: Store, add: Add) -> None:
    """Whatever ranges a time is cut into, what a cumulative counter grew by in them adds up to all it grew by."""
    for minute, value in ((1, 10), (11, 25), (21, 27), (31, 60)):
        add("gen_ai.tokens", minute, value, is_cumulative=1)
        add("gen_ai.seconds", minute, value, is_cumulative=1, kind="distribution", points=value * 2)
    for cuts in ((0, 40), (0, 15, 40), (0, 5, 10, 20, 25, 40), (0, 1, 11, 21, 31, 32)):
        parts = [_asked(store, *stretch) for stretch in itertools.pairwise(cuts)]
        assert sum(part.get("gen_ai.tokens", (0, 0))[0] for part in parts) == 60
        assert sum(part.get("gen_ai.seconds", (0, 0))[0] for part in parts) == 60
        assert sum(part.get("gen_ai.seconds", (0, 0))[1] for part in parts) == 120
    assert _asked(store, 5, 15)["gen_ai.tokens"] == (15, 1)


def test_a_running_total_that_falls_began_anew(store: Store, add: Add) -> None:
    """A counter that was reset without saying so counts from zero again."""
    for minute, value in ((1, 10), (2, 30), (3, 5), (4, 6)):
        add("gen_ai.tokens", minute, value, is_cumulative=1)
    assert _asked(store, 0, 10)["gen_ai.tokens"] == (36, 4)


def test_what_was_counted_long_before_it_was_first_seen_is_of_no_range(store: Store, add: Add) -> None:
    """A process that had run for hours before it was first heard of counts from that report on."""
    for minute, value in ((200, 1000), (201, 1010)):
        add("gen_ai.tokens", minute, value, is_cumulative=1)
    assert _asked(store, 0, 300)["gen_ai.tokens"][0] == 10
