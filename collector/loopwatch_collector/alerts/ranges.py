"""Stretches of time: windows, the same hour of past days, days and months by a time zone."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from loopwatch_collector.alerts.durations import NS


class Range(NamedTuple):
    """From (included) to (excluded), ns since the epoch."""

    from_ns: int
    to_ns: int

    @property
    def seconds(self) -> float:
        """Its length."""
        return (self.to_ns - self.from_ns) / NS


def window_ending(now_ns: int, window_s: int) -> Range:
    """The stretch of so many seconds that ends now."""
    return Range(now_ns - window_s * NS, now_ns)


def on_grid(stretch: Range, grid_ns: int, *, moves: bool) -> Range:
    """Has a range that ends now end at the next step of a grid: what is not over yet is empty.

    Args:
        stretch: the range.
        grid_ns: the grid's steps.
        moves: its beginning moves on too, as a window's does; that of a piece that follows another may not.
    """
    ahead_ns = -stretch.to_ns % grid_ns
    return Range(stretch.from_ns + (ahead_ns if moves else 0), stretch.to_ns + ahead_ns)


def aligned(now_ns: int, step_s: int) -> int:
    """The last whole step before a moment."""
    return now_ns - now_ns % (step_s * NS)


def days_earlier(moment_ns: int, days: int, timezone: str) -> int:
    """The same time of day, so many days earlier, by the clocks of a time zone.

    When the clocks were moved in between, the stretch is not a multiple of 24 hours; a time that the clocks
    skipped is the moment after they were moved.
    """
    zone = ZoneInfo(timezone)
    local = _local(moment_ns, zone)
    earlier = (local.replace(tzinfo=None) - timedelta(days=days)).replace(tzinfo=zone, fold=local.fold)
    return _ns(earlier) + moment_ns % NS


def past_windows(now_ns: int, window_s: int, days: int, timezone: str) -> Iterator[tuple[int, Range]]:
    """Yields (days ago, the same window of that day), the latest first."""
    for ago in range(1, days + 1):
        yield ago, window_ending(days_earlier(now_ns, ago, timezone), window_s)


def is_weekend(moment_ns: int, timezone: str) -> bool:
    """Whether a moment falls on a Saturday or Sunday."""
    return _local(moment_ns, ZoneInfo(timezone)).weekday() >= 5


def day_of(moment_ns: int, timezone: str) -> Range:
    """The calendar day around a moment; 23 or 25 hours long when the clocks are moved."""
    zone = ZoneInfo(timezone)
    start = _local(moment_ns, zone).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    end = (start.replace(tzinfo=None) + timedelta(days=1)).replace(tzinfo=zone)
    return Range(_ns(start), _ns(end))


def midnights(stretch: Range, timezone: str) -> Iterator[int]:
    """Yields when calendar days begin within a stretch."""
    midnight_ns = day_of(stretch.from_ns, timezone).to_ns
    while midnight_ns < stretch.to_ns:
        yield midnight_ns
        midnight_ns = day_of(midnight_ns, timezone).to_ns


def month_of(moment_ns: int, timezone: str) -> Range:
    """The calendar month around a moment."""
    zone = ZoneInfo(timezone)
    start = _local(moment_ns, zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0, fold=0)
    following = (start.replace(tzinfo=None) + timedelta(days=32)).replace(day=1, tzinfo=zone)
    return Range(_ns(start), _ns(following))


def _local(moment_ns: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(moment_ns // NS, UTC).astimezone(zone)


def _ns(moment: datetime) -> int:
    return int(moment.timestamp()) * NS
