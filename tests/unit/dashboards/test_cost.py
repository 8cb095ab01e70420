"""The month's forecast as the Cost page says it."""

from loopwatch_dashboards.page.cost import forecast_tile

ROW = {"spent_usd": 62.4, "expected_usd": 94.28, "low_usd": 80.69, "high_usd": 107.87, "days": 14}


def test_forecast_is_said_with_its_interval_and_what_it_stands_on() -> None:
    """The number, the interval beside it, and in the note what is spent and how many days it was foretold from."""
    tile = forecast_tile(ROW)
    assert (tile.label, tile.value, tile.delta) == ("This month, expected", "$94.28", "$80.69 to $107.87")
    assert "$62.40 so far" in tile.note
    assert "14 days" in tile.note


def test_too_little_to_foretell_from_is_no_forecast() -> None:
    """Without enough days the tile shows what is spent and says what is missing; without any row a dash."""
    tile = forecast_tile({**ROW, "expected_usd": None})
    assert (tile.label, tile.value, tile.delta) == ("This month", "$62.40", None)
    assert "three whole days" in tile.note
    assert forecast_tile({}).value == "–"
