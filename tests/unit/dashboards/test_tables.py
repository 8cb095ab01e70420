"""Tables in which every text has room."""

from datetime import UTC
from typing import Any, cast

import pytest

from loopwatch_dashboards import tables
from loopwatch_dashboards.context import Context


class _Clock:
    zone = UTC


CONTEXT = cast("Context", _Clock())
COLUMNS = {"agent": ("agent", "text"), "runs": ("runs", "runs")}


def _layout(*agents: Any) -> tables.Layout:
    return tables.layout([{"agent": agent, "runs": 1} for agent in agents], COLUMNS, CONTEXT)


def test_column_is_as_wide_as_its_longest_text() -> None:
    """One long name among many short ones is not cut: the browser's own guess goes by the usual length."""
    usual, odd = _layout(*["support"] * 40), _layout(*["support"] * 39, "incident-resolver-of-payments")
    assert "agent" not in usual.widths
    assert odd.widths["agent"] > 29 * 6
    assert odd.row_height == usual.row_height == 34


@pytest.mark.parametrize(("words", "lines"), [(10, 2), (40, 5), (64, 8)])
def test_rows_are_as_high_as_their_longest_text(words: int, lines: int) -> None:
    """Text that is wider than a column may be is broken into lines, and rows are high enough for them."""
    room = _layout("short", "words " * words)
    assert room.widths["agent"] <= 330
    assert room.row_height >= max(62, lines * 19)


def test_endless_text_says_what_is_left_out() -> None:
    """A text of a megabyte is its beginning and a count, and makes no row higher than a paragraph does."""
    shown = tables.styled([{"agent": "x" * 1_000_000, "runs": 1}], COLUMNS, CONTEXT).to_string()
    assert "characters)" in shown
    assert len(shown) < 400
    assert _layout("x" * 1_000_000).row_height < 130


def test_one_long_number_among_short_ones_has_room() -> None:
    """A column of numbers has a width of its own where one is much longer than the others."""
    rows = [{"agent": "a", "runs": number} for number in (1, 2, 3, 1_234, 5)]
    assert tables.layout(rows, COLUMNS, CONTEXT).widths["runs"] > 45
    assert "runs" not in tables.layout(rows[:3], COLUMNS, CONTEXT).widths
