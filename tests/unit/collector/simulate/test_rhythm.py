from random import Random

from hypothesis import given
from hypothesis import strategies as st

from loopwatch_collector.simulate.rhythm import DAY_NS, HOUR_NS, runs_by_day, time_of_day, weekday

MONDAY_NS = 20_045 * DAY_NS  # 2024-11-18


@given(first=st.integers(0, 30_000), days=st.integers(1, 400), runs=st.integers(0, 100_000))
def test_shares_of_days_add_up(first: int, days: int, runs: int) -> None:
    """However many runs over however many days: none is lost to rounding."""
    shares = runs_by_day(first * DAY_NS, days, runs)
    assert len(shares) == days
    assert sum(shares) == runs
    assert min(shares) >= 0


def test_weekends_are_quiet_and_the_fleet_grows() -> None:
    """Saturday has less than half of Friday, and this Monday more than the one eight weeks before."""
    assert weekday(MONDAY_NS) == 0
    shares = runs_by_day(MONDAY_NS, 63, 1_000_000)
    assert shares[5] < shares[4] / 2
    assert shares[56] > 1.1 * shares[0]


def test_hours_follow_the_working_day() -> None:
    """Ten in the morning has several times the runs of three at night."""
    rng = Random(1)
    hours = [time_of_day(rng) // HOUR_NS for _ in range(20_000)]
    assert set(hours) == set(range(24))
    assert hours.count(10) > 5 * hours.count(3)
