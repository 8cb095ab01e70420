"""Text broken into lines that have room."""

from hypothesis import given
from hypothesis import strategies as st

from loopwatch_dashboards import typeface
from loopwatch_dashboards.text import one_line


@given(st.text(max_size=300), st.floats(4, 40))
def test_lines_have_room_and_lose_nothing(value: str, width_em: float) -> None:
    """No line is wider than its place, and together the lines are the text."""
    lines = typeface.lines(value, width_em, 1_000)
    assert all(typeface.em_width(line) <= width_em for line in lines)
    assert "".join("".join(lines).split()) == "".join(one_line(value, 10_000).split())


def test_names_are_broken_where_they_have_joints() -> None:
    """Words stay whole, names break after their marks, and what has neither breaks anywhere."""
    assert typeface.lines("no runbook matches", 7, 9) == ("no runbook", "matches")
    assert typeface.lines("search_logs_by_service", 7, 9) == ("search_logs_", "by_service")
    assert "".join(typeface.lines("x" * 40, 7, 9)) == "x" * 40


def test_what_has_no_room_is_counted() -> None:
    """Text that needs more lines than there are ends with how many characters are left out."""
    lines = typeface.lines("word " * 4_000, 20, 3)
    assert len(lines) == 3
    kept, _, said = " ".join(lines).partition("… (+")
    left_out = int(said.removesuffix(" characters)").replace(",", ""))
    assert kept.replace("word", "").strip(" wor") == ""
    assert 19_999 - len(kept) - 2 <= left_out <= 19_999 - len(kept) + 2
