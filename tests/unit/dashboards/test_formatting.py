"""Numbers as a reader wants them."""

from datetime import timedelta, timezone

import pytest

from loopwatch_dashboards import formatting


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (float("nan"), "–"),
        (0, "$0"),
        (0.0042, "$0.0042"),
        (0.0000001, "<$0.000001"),
        (0.042, "$0.042"),
        (0.5, "$0.50"),
        (1.239, "$1.24"),
        (1234.5, "$1,234"),
        (-0.5, "-$0.50"),
    ],
)
def test_cost(value: float | None, text: str) -> None:
    """Costs keep two digits below ten cents, cents below $1,000; an unknown cost is a dash, never $0."""
    assert formatting.usd(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0, "0"),
        (7, "7"),
        (12.27, "12.3"),
        (21.95, "21.9"),
        (0.8333333333333334, "0.833"),
        (10.5, "10.5"),
        (23.1, "23.1"),
        (9_950, "9,950"),
        (12_345, "12.3k"),
        (999_950, "1M"),
        (1_500_000, "1.5M"),
        (2.5e9, "2.5G"),
    ],
)
def test_count(value: float | None, text: str) -> None:
    """Whole numbers are exact up to four digits, then three digits with a letter."""
    assert formatting.count(value) == text


@pytest.mark.parametrize(
    ("value_ns", "text"),
    [
        (None, "–"),
        (0, "0 s"),
        (850, "850 ns"),
        (12_000, "12 µs"),
        (999_900, "1 ms"),
        (1_610_000_000, "1.61 s"),
        (59_960_000_000, "1 m"),
        (80_000_000_000, "1 m 20 s"),
        (7_500_000_000_000, "2 h 5 m"),
        (273_600_000_000_000, "3 d 4 h"),
    ],
)
def test_duration(value_ns: int | None, text: str) -> None:
    """Durations read as a person says them, from nanoseconds to days."""
    assert formatting.duration(value_ns) == text


@pytest.mark.parametrize(
    ("value", "text"), [(None, "–"), (0, "0 %"), (1, "100 %"), (0.0631, "6.3 %"), (0.0001, "<0.1 %")]
)
def test_ratio(value: float | None, text: str) -> None:
    """Shares are percent with one digit; a small one is not shown as none."""
    assert formatting.ratio(value) == text


@pytest.mark.parametrize(
    ("now", "before", "text"),
    [(12, 10, "+20 %"), (10, 10, "0 %"), (10.2, 10, "+2.0 %"), (5, 0, None), (None, 3, None), (3, None, None)],
)
def test_change(now: float | None, before: float | None, text: str | None) -> None:
    """A change is relative to the period before, and absent where that had nothing."""
    assert formatting.change(now, before) == text


def test_change_of_a_share_is_in_points() -> None:
    """From 50 % to 60 % is ten points, not twenty percent."""
    assert formatting.points(0.6, 0.5) == "+10.0 pp"


def test_time_is_written_in_the_zone_asked_for() -> None:
    """A time of the API, as text or as epoch milliseconds, is shown by the clock of the zone."""
    zone = timezone(timedelta(hours=2))
    assert formatting.time("2026-11-21T03:08:41.123Z") == "2026-11-21 03:08:41"
    assert formatting.time("2026-11-21T03:08:41Z", zone) == "2026-11-21 05:08:41"
    assert formatting.time(1_000) == "1970-01-01 00:00:01"
    assert formatting.time(None) == "–"


def test_plural() -> None:
    """One is singular, all else plural."""
    assert (formatting.plural(1, "run"), formatting.plural(0, "run")) == ("1 run", "0 runs")


@pytest.mark.parametrize(
    ("value", "other", "unit", "said"),
    [
        (0.0312, 0.03, "usd", ("$0.031", "$0.030")),
        (50.004, 50.0, "usd", ("$50.004", "$50.000")),
        (0.2004, 0.2, "ratio", ("20.04 %", "20.00 %")),
        (90.2e9, 90.0e9, "ns", ("90.2 s", "90.0 s")),
        (12_345, 12_344, "count", ("12,345", "12,344")),
        (3, 3, "count", ("3", "3")),
        (None, 3, "count", ("–", "3")),
    ],
)
def test_a_value_and_its_threshold_are_told_apart(
    value: float | None, other: float, unit: str, said: tuple[str, str]
) -> None:
    """What differs never reads the same: both get as many digits as it takes."""
    assert formatting.told_apart(value, other, unit) == said
