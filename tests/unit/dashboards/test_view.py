"""What a page looks at, in the URL and back."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopwatch_dashboards.view import FILTERS, LIVE_SECONDS, PRESETS, View, Window

NOW = datetime(2026, 11, 21, 3, 8, 41, tzinfo=UTC)
moments = st.integers(10**12, 3 * 10**12).map(lambda epoch_ms: datetime.fromtimestamp(epoch_ms / 1000, UTC))


def _lists(query: dict[str, str | list[str]]) -> dict[str, list[str]]:
    return {name: value if isinstance(value, list) else [value] for name, value in query.items()}


@st.composite
def views(draw: st.DrawFn) -> View:
    view = View(
        preset=draw(st.sampled_from(list(PRESETS))),
        filters={
            name: tuple(values)
            for name in FILTERS
            if (values := draw(st.lists(st.text(min_size=1), max_size=3, unique=True)))
        },
        where=draw(st.text(max_size=30)).strip(),
        local=draw(st.booleans()),
        live_seconds=draw(st.sampled_from(LIVE_SECONDS)),
    )
    if draw(st.booleans()):
        start = draw(moments)
        view = view.with_range(start, start + timedelta(milliseconds=draw(st.integers(1, 10**10))))
    return view


@given(views())
def test_url_gives_the_same_view_back(view: View) -> None:
    """Whatever the view, a shared link opens the same one."""
    assert View.from_query(_lists(view.to_query())) == view


def test_default_view_needs_no_parameters() -> None:
    """The plain address shows the last 24 hours, unfiltered, in UTC."""
    assert View.from_query({}) == View()
    assert View().to_query() == {}


@pytest.mark.parametrize(
    "query",
    [
        {"range": ["yesterday"]},
        {"from": ["2026-01-02"], "to": ["2026-01-01"]},
        {"from": ["soon"], "to": ["later"]},
        {"range": ["custom"]},
        {"live": ["-1"]},
        {"live": ["7"]},
        {"agent": [""]},
    ],
)
def test_nonsense_in_the_url_falls_back_to_the_default(query: dict[str, list[str]]) -> None:
    """A parameter that makes no sense is ignored; it never breaks the page."""
    assert View.from_query(query) == View()


def test_relative_window_ends_at_a_round_moment() -> None:
    """A range that ends now ends at the next ten seconds, so that reruns ask the same question."""
    window = View(preset="1h").window(NOW)
    assert window.end == datetime(2026, 11, 21, 3, 8, 50, tzinfo=UTC)
    assert window.end - window.start == timedelta(hours=1)
    assert View(preset="1h").window(NOW + timedelta(seconds=8)) == window


@pytest.mark.parametrize(("preset", "step"), [("15m", 30), ("1h", 60), ("24h", 1800), ("7d", 10_800), ("90d", 604_800)])
def test_buckets_suit_the_range(preset: str, step: int) -> None:
    """A window is shown in at most 72 buckets of a round width."""
    window = View(preset=preset).window(NOW)
    assert window.step_seconds == step
    assert (window.end - window.start).total_seconds() / step <= 72


def test_period_before_is_as_long_and_ends_where_this_one_starts() -> None:
    """What a change is measured against has the same length."""
    window = Window(NOW, NOW + timedelta(hours=6))
    assert window.before == Window(NOW - timedelta(hours=6), NOW)


def test_filter_without_values_is_free_again() -> None:
    """Clearing a filter leaves no trace of it."""
    assert View().with_filter("agent", "a", "b").with_filter("agent") == View()


def test_conditions_add_up() -> None:
    """A click on a mark narrows what a person typed; it does not replace it."""
    view = View(where="cost > 1 or iterations > 9").with_where("called(search)")
    assert view.where == "(cost > 1 or iterations > 9) and called(search)"
    assert View().with_where("called(search)").where == "called(search)"
    assert view.with_where("").where == view.where
