"""The forecast of the month, on days worked out by hand and against least squares solved in general."""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from loopwatch_collector.queries.runner import Question, ask
from loopwatch_collector.store.rows import SPAN_INDEX
from loopwatch_collector.store.store import Store

DAY_NS = 86_400 * 10**9
HOUR_NS = 3600 * 10**9
MakeSpan = Callable[..., list[Any]]


def _at(day: date, hour: int = 0) -> int:
    return int(datetime(day.year, day.month, day.day, hour, tzinfo=UTC).timestamp()) * 10**9


def _calls(span: MakeSpan, agent: str, costs: Mapping[int, float]) -> list[list[Any]]:
    """Runs of one call each, by the time they start."""
    return [
        span(n, start_time=at_ns, run_id=f"{agent}-{n}", trace_id=f"{agent:4}{n:012}".encode(), agent=agent,
             kind="model_call", response_id=f"{agent}{n}", model="m", input_tokens=1, cost_usd=Decimal(str(cost)))
        for n, (at_ns, cost) in enumerate(costs.items())
    ]  # fmt: skip


def _write(store: Store, rows: list[list[Any]]) -> None:
    """Stores rows and derives their runs as if each had spans on every day: by one statement, not by one a day."""
    store.insert_spans(rows)
    project, run_id, start = (SPAN_INDEX[name] for name in ("project", "run_id", "start_time"))
    first, last = min(row[start] for row in rows), max(row[start] for row in rows)
    store.refresh_runs([(row[project], row[run_id], first, last) for row in rows])


def _ask(store: Store, from_ns: int, to_ns: int, dimension: str = "all") -> dict[str, list[Any]]:
    question = Question("cost_forecast", "default", from_ns, to_ns, {"dimension": dimension})
    return {row[0]: row[1:] for row in ask(store.connection(), question).rows}


def test_three_days_foretell_their_mean(store: Store, span: MakeSpan) -> None:
    """Days of 1, 2 and 3 dollars, three quarters of each after noon: a day takes 2 more or less 1, today 1.5 of it."""
    days = [date(2025, 1, 26) + timedelta(days=n) for n in range(3)]
    costs = {_at(day, hour): (n + 1) * part for n, day in enumerate(days) for hour, part in ((6, 0.25), (18, 0.75))}
    now_ns = _at(date(2025, 1, 29), 12)
    _write(store, _calls(span, "a", {**costs, now_ns - HOUR_NS: 0.5}))
    # to come: 0.75 of today and the 30th and 31st
    margin = 1.95996398 * math.sqrt(2.75 + 2.75**2 / 3)
    wanted = ["2025-01-01", 6.5, 12.0, 12 - margin if margin < 5.5 else 6.5, 12 + margin, None, 3, 0]
    assert _ask(store, _at(date(2024, 12, 1)), now_ns) == {"": pytest.approx(wanted, nan_ok=True)}


def test_four_weeks_foretell_weekdays_and_a_trend(store: Store, span: MakeSpan) -> None:
    """Costs that grow by 0.1 a day and are 3 lower at weekends go on so: nothing scatters, so nothing is uncertain."""
    first = date(2025, 1, 1)
    days = [first + timedelta(days=n) for n in range(31)]
    costs = [5 + 0.1 * n - 3 * (day.weekday() >= 5) for n, day in enumerate(days)]
    _write(store, _calls(span, "a", {_at(day, 12): round(cost, 3) for day, cost in zip(days, costs, strict=True)}))
    wanted = ["2025-01-01", sum(costs[:29]), *[sum(costs)] * 3, 0.1, 28, 0]
    answer = _ask(store, _at(first), _at(days[28], 13), "agent")
    assert answer == {"a": pytest.approx(wanted, abs=1e-6)}


def test_the_interval_is_that_of_least_squares(store: Store, span: MakeSpan) -> None:
    """Of costs that scatter, rest and interval are those of least squares solved by matrices, new days included."""
    first = date(2025, 3, 10)
    costs = [10 + (n * 7919 % 13) - n * 0.05 + 2 * (n % 7 == 3) for n in range(50)]  # until April 28th
    days = [first + timedelta(days=n) for n in range(50)]
    _write(store, _calls(span, "a", {_at(day, 12): round(cost, 3) for day, cost in zip(days, costs, strict=True)}))
    today = date(2025, 4, 22)
    (_, spent, expected, low, high, trend, seen, _) = _ask(store, _at(first), _at(today), "agent")["a"]
    # the range ends with the last moment of the 21st: that day is over, and nothing of it is to come
    known, coming = (today - first).days - 1, list(range((today - first).days, 52))
    slope, rest, margin = _least_squares(costs[:known], coming)
    assert seen == known
    assert trend == pytest.approx(slope)
    assert spent == pytest.approx(sum(costs[22 : known + 1]), abs=1e-6)
    assert [low, expected, high] == pytest.approx([spent + rest - margin, spent + rest, spent + rest + margin])


def _least_squares(costs: Sequence[float], coming: Sequence[int]) -> tuple[float, float, float]:
    def row(n: int) -> list[float]:
        return [float(n), *(float(n % 7 == weekday) for weekday in range(7))]

    known = np.array([row(n) for n in range(len(costs))])
    found, _, _, _ = np.linalg.lstsq(known, np.array(costs), rcond=None)
    variance = float(((np.array(costs) - known @ found) ** 2).sum()) / (len(costs) - 8)
    sums = np.array([row(n) for n in coming]).sum(axis=0)
    spread = float(sums @ np.linalg.inv(known.T @ known) @ sums)
    return float(found[0]), float(sums @ found), 1.95996398 * math.sqrt(variance * (len(coming) + spread))


def test_too_little_is_not_foretold(store: Store, span: MakeSpan) -> None:
    """Two days foretell nothing, unpriced tokens are told, and a range that lacks a part of the month says nothing."""
    _write(store, _calls(span, "a", {_at(date(2025, 1, 2)): 1, _at(date(2025, 1, 3)): 2, _at(date(2025, 1, 4)): 3}))
    _write(store, [span(1, start_time=_at(date(2025, 1, 4)), run_id="b", trace_id=b"b" * 16, agent="b",
                       kind="model_call", response_id="b", model="home-made", input_tokens=7)])  # fmt: skip
    to_ns = _at(date(2025, 1, 4), 1)
    month = "2025-01-01"
    assert _ask(store, _at(date(2025, 1, 1)), to_ns, "agent") == {
        "a": [month, 6.0, None, None, None, None, 0, 0],
        "b": [month, None, None, None, None, None, 0, 7],
    }
    assert _ask(store, _at(date(2025, 1, 2)), to_ns)[""] == [month, None, None, None, None, None, 0, 7]
