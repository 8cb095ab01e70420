"""What this month will cost if it goes on like the last weeks."""

import math
from calendar import monthrange
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from statistics import mean, stdev
from typing import Any, NamedTuple

from loopwatch_dashboards.formatting import parse_time

WEEKS = 4
_MIN_DAYS = 3
_NORMAL_95 = 1.96


class Forecast(NamedTuple):
    """The month's cost so far and as it will probably be.

    Attributes:
        spent_usd: from the first of the month until now.
        expected_usd: at the month's end.
        low_usd: lower end of a 95 % interval.
        high_usd: upper end.
        days: how many past days it stands on.
    """

    spent_usd: float
    expected_usd: float
    low_usd: float
    high_usd: float
    days: int


def month_start(now: datetime) -> datetime:
    """Midnight of the first of `now`'s month."""
    return now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def forecast(rows: Sequence[Mapping[str, Any]], now: datetime) -> Forecast | None:
    """Continues the month with the mean of each weekday over the last four weeks.

    Args:
        rows: buckets of one day, any number per day, with `bucket` and `cost_usd`; from four weeks or more back.
        now: the present.

    Returns:
        The forecast; None where fewer than three past days have runs. The interval takes days as independent, with
        the spread they have around their weekday's mean.
    """
    days = _by_day(rows)
    today = now.date()
    first = today - timedelta(weeks=WEEKS)
    begun = min(days, default=today)
    past = [first + timedelta(days=i) for i in range(WEEKS * 7) if first + timedelta(days=i) >= begun]
    if len(past) < _MIN_DAYS:
        return None
    costs = [days.get(day, 0.0) for day in past]
    by_weekday = _means(past, costs)
    spread = stdev(cost - by_weekday[day.weekday()] for day, cost in zip(past, costs, strict=True))
    last = date(today.year, today.month, monthrange(today.year, today.month)[1])
    rest = [today + timedelta(days=i) for i in range(1, (last - today).days + 1)]
    spent = sum(cost for day, cost in days.items() if (day.year, day.month) == (today.year, today.month))
    left_today = by_weekday[today.weekday()] * (1 - (now - now.replace(hour=0, minute=0, second=0)).seconds / 86_400)
    expected = spent + left_today + sum(by_weekday[day.weekday()] for day in rest)
    margin = _NORMAL_95 * spread * math.sqrt(len(rest) + 1)
    return Forecast(spent, expected, max(spent, expected - margin), expected + margin, len(past))


def _by_day(rows: Sequence[Mapping[str, Any]]) -> dict[date, float]:
    sums: dict[date, float] = {}
    for row in rows:
        moment = parse_time(row["bucket"])
        if moment is not None:
            sums[moment.date()] = sums.get(moment.date(), 0.0) + (row["cost_usd"] or 0.0)
    return sums


def _means(days: Sequence[date], costs: Sequence[float]) -> dict[int, float]:
    """The mean cost of each weekday; one without a past day takes the mean of all."""
    overall = mean(costs)
    return {
        weekday: mean(known) if known else overall
        for weekday in range(7)
        for known in [[cost for day, cost in zip(days, costs, strict=True) if day.weekday() == weekday]]
    }
