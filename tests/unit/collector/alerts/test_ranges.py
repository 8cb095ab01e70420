"""Days and hours by the clocks of a time zone, daylight saving included."""

from datetime import UTC, datetime

import pytest

from loopwatch_collector.alerts.durations import NS, format_duration, parse_duration
from loopwatch_collector.alerts.ranges import (
    Range,
    day_of,
    days_earlier,
    is_weekend,
    month_of,
    on_grid,
    past_windows,
)

BERLIN = "Europe/Berlin"


def ns(text):
    return int(datetime.fromisoformat(text).timestamp()) * NS


def iso(moment_ns):
    return datetime.fromtimestamp(moment_ns // NS, UTC).isoformat()


def test_the_same_hour_is_the_clocks_hour():
    """Noon in Berlin the day before the clocks were moved is 25 or 23 hours ago, not 24."""
    spring = ns("2026-03-29T12:00:00+02:00")
    assert iso(days_earlier(spring, 1, BERLIN)) == "2026-03-28T11:00:00+00:00"
    autumn = ns("2026-10-25T12:00:00+01:00")
    assert iso(days_earlier(autumn, 1, BERLIN)) == "2026-10-24T10:00:00+00:00"
    assert days_earlier(autumn, 1, "UTC") == autumn - 86_400 * NS


def test_an_hour_the_clocks_skipped_has_a_moment():
    """Half past two did not exist on the day the clocks were moved: the moment is right after."""
    assert iso(days_earlier(ns("2026-03-30T02:30:00+02:00"), 1, BERLIN)) == "2026-03-29T01:30:00+00:00"


@pytest.mark.parametrize(
    ("moment", "hours"),
    [("2026-03-29T12:00:00+02:00", 23), ("2026-10-25T12:00:00+01:00", 25), ("2026-07-01T00:00:00+02:00", 24)],
)
def test_a_day_is_as_long_as_the_clocks_make_it(moment, hours):
    """A budget's day has 23 or 25 hours when the clocks are moved, and begins at local midnight."""
    day = day_of(ns(moment), BERLIN)
    assert day.seconds == hours * 3_600
    assert day.from_ns <= ns(moment) < day.to_ns


def test_a_month_ends_where_the_next_begins():
    """December runs into January, and the month with the clocks' change is an hour shorter."""
    assert iso(month_of(ns("2026-12-31T23:30:00+00:00"), "UTC").to_ns) == "2027-01-01T00:00:00+00:00"
    assert month_of(ns("2026-03-10T12:00:00+01:00"), BERLIN).seconds == (31 * 24 - 1) * 3_600


def test_past_windows_are_one_per_day_the_latest_first():
    """Each is as long as the window and ends at the same time of day."""
    windows = list(past_windows(ns("2026-05-05T10:00:00+00:00"), 3_600, 3, "UTC"))
    assert [(ago, iso(window.to_ns)[:16]) for ago, window in windows] == [
        (1, "2026-05-04T10:00"),
        (2, "2026-05-03T10:00"),
        (3, "2026-05-02T10:00"),
    ]
    assert {window.seconds for _, window in windows} == {3_600}


def test_a_weekend_is_local():
    """Sunday evening in New York is Monday in UTC."""
    moment = ns("2026-05-03T22:00:00-04:00")
    assert is_weekend(moment, "America/New_York")
    assert not is_weekend(moment, "UTC")


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("15m", 900), ("1h30m", 5_400), ("28d", 2_419_200), ("1w", 604_800)]
)
def test_durations_are_read(text, seconds):
    """Numbers with units, added up."""
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "1", "1 h", "h", "1.5h", "-1h", "1y"])
def test_other_texts_are_no_durations(text):
    """The error names the text and shows the form."""
    with pytest.raises(ValueError, match="is not a duration like 90s"):
        parse_duration(text)


def test_durations_are_written_with_two_units():
    """Largest first, rounded to seconds."""
    assert [format_duration(s) for s in (0, 59.6, 5_400, 93_784)] == ["0 s", "1 min", "1 h 30 min", "1 d 2 h"]


def test_a_window_moves_to_the_grid_and_a_piece_of_the_day_grows_to_it():
    """Both end at the grid's next step; a piece that follows another leaves no seconds out between the two."""
    grid_ns, stretch = 10 * NS, Range(3 * NS, 63 * NS)
    assert on_grid(stretch, grid_ns, moves=True) == Range(10 * NS, 70 * NS)
    assert on_grid(stretch, grid_ns, moves=False) == Range(3 * NS, 70 * NS)
    assert on_grid(Range(0, 60 * NS), grid_ns, moves=True) == Range(0, 60 * NS)
