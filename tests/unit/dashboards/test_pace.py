"""Cost of the last full hour against the usual for that hour."""

from datetime import UTC, datetime

from loopwatch_dashboards.pace import pace

NOW = datetime(2026, 11, 20, 15, 20, tzinfo=UTC)  # the last full hour began at 14:00


def _row(day: int, hour: int, cost_usd: float | None, key: str = "") -> dict[str, object]:
    return {"bucket": f"2026-11-{day:02}T{hour:02}:00:00Z", "key": key, "cost_usd": cost_usd}


def test_last_full_hour_is_held_against_the_median_of_the_same_hour() -> None:
    """The hour is the sum of its rows; the usual is the median of that hour on the days before."""
    rows = [_row(20, 14, 3.0, "a"), _row(20, 14, 1.0, "b"), _row(20, 15, 99.0)]
    rows += [_row(19, 14, 1.0), _row(18, 14, 2.0), _row(17, 14, 9.0), _row(19, 13, 50.0)]
    got = pace(rows, NOW)
    assert (got.cost_usd, got.usual_usd, got.days, got.hour.hour) == (4.0, 2.0, 3, 14)


def test_day_without_runs_is_no_day_and_a_quiet_hour_is_one() -> None:
    """A day on which nothing ran says nothing of the usual; a day that ran, but not in this hour, cost nothing then."""
    got = pace([_row(20, 14, 5.0), _row(19, 9, 7.0), _row(17, 14, 4.0)], NOW)
    assert (got.usual_usd, got.days) == (2.0, 2)


def test_first_day_has_no_usual() -> None:
    """Without an earlier day there is nothing to compare with, and that is not zero."""
    got = pace([_row(20, 14, 5.0)], NOW)
    assert (got.cost_usd, got.usual_usd, got.days) == (5.0, None, 0)


def test_cost_that_is_not_known_adds_nothing() -> None:
    """A row without a price does not break the sum."""
    assert pace([_row(20, 14, None), _row(20, 14, 2.0)], NOW).cost_usd == 2.0
