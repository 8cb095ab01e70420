"""When a fleet is busy: hours of the day, days of the week, slow growth."""

from bisect import bisect
from itertools import accumulate
from random import Random
from typing import Final

HOUR_NS: Final = 3600 * 10**9
DAY_NS: Final = 24 * HOUR_NS

# UTC hours of a working day in Europe and the American east, relative to its busiest hour
_BY_HOUR: Final = (
    0.16, 0.12, 0.10, 0.10, 0.12, 0.18, 0.32, 0.55, 0.80, 0.93, 1.00, 0.97,
    0.88, 0.95, 1.00, 0.99, 0.92, 0.82, 0.66, 0.52, 0.42, 0.33, 0.26, 0.20,
)  # fmt: skip
_BY_WEEKDAY: Final = (1.0, 1.04, 1.03, 1.0, 0.9, 0.34, 0.3)  # Monday first
_GROWTH_PER_DAY: Final = 0.003
_HOURS: Final = tuple(accumulate(_BY_HOUR))


def weekday(time_ns: int) -> int:
    """Returns the day of the week in UTC, Monday being 0."""
    return (time_ns // DAY_NS + 3) % 7  # 1970-01-01 was a Thursday


def runs_by_day(first_day_ns: int, days: int, runs: int) -> list[int]:
    """Shares runs out over days.

    Args:
        first_day_ns: the first day's midnight, ns since the epoch.
        days: how many days.
        runs: how many runs in all.

    Returns:
        The runs of each day; they add up to `runs`.
    """
    weights = [_BY_WEEKDAY[weekday(first_day_ns + day * DAY_NS)] * (1 + _GROWTH_PER_DAY) ** day for day in range(days)]
    ends = [round(runs * reached / sum(weights)) for reached in accumulate(weights)]
    return [end - start for start, end in zip([0, *ends], ends, strict=False)]


def time_of_day(rng: Random) -> int:
    """Draws a time of day, ns since midnight UTC."""
    hour = bisect(_HOURS, rng.random() * _HOURS[-1])
    return min(hour, 23) * HOUR_NS + rng.randrange(HOUR_NS)
