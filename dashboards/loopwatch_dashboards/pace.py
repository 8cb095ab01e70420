"""How fast money is spent now, against the usual for this hour."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from statistics import median
from typing import Any, NamedTuple

from loopwatch_dashboards.formatting import parse_time

DAYS = 7
_STEP = timedelta(hours=1)


class Pace(NamedTuple):
    """Cost of the last full hour and of the same hour on the days before.

    Attributes:
        cost_usd: what the last full hour cost.
        usual_usd: the median of the same hour on the days that have runs; None before the first such day.
        days: how many days that median stands on.
        hour: when the last full hour began.
    """

    cost_usd: float
    usual_usd: float | None
    days: int
    hour: datetime


def pace(rows: Sequence[Mapping[str, Any]], now: datetime) -> Pace:
    """Compares the last full hour with the same hour of the last seven days.

    Args:
        rows: buckets of one hour, any number per hour, with `bucket` and `cost_usd`.
        now: the present.

    Returns:
        The comparison. A day without any row counts as no day, not as a day without cost.
    """
    sums: dict[datetime, float] = {}
    for row in rows:
        moment = parse_time(row["bucket"])
        if moment is not None:
            sums[moment] = sums.get(moment, 0.0) + (row["cost_usd"] or 0.0)
    hour = now.replace(minute=0, second=0, microsecond=0) - _STEP
    days_seen = {moment.date() for moment in sums}
    same_hour = [hour - timedelta(days=day) for day in range(1, DAYS + 1)]
    before = [sums.get(moment, 0.0) for moment in same_hour if moment.date() in days_seen]
    return Pace(sums.get(hour, 0.0), median(before) if before else None, len(before), hour)
