"""Text from traces made safe to show."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopwatch_dashboards import text


def test_control_characters_become_visible() -> None:
    """ANSI escapes, NUL and carriage returns are shown as signs; line breaks and tabs stay."""
    assert text.visible("\x1b[31mred\x1b[0m\x00\r\n\tnext") == "␛[31mred␛[0m␀\n\tnext"


def test_direction_overrides_become_visible() -> None:
    """Characters that turn text around are named, so that what is shown is what is there."""
    assert text.visible("user\u202egnp.exe") == "user⟨U+202E⟩gnp.exe"


def test_long_text_is_cut_and_says_so() -> None:
    """A megabyte is cut, and a last line says how much is missing."""
    shown = text.visible("x" * 1_000_000)
    assert len(shown) < 21_000
    assert shown.endswith("… 980,000 more characters not shown")


def test_one_line_has_no_breaks() -> None:
    """Text for a cell or a label is one line."""
    assert text.one_line("a\n b\t\tc") == "a b c"


@pytest.mark.parametrize("length", [61, 300, 5_000, 1_000_000])
def test_shortened_line_says_how_much_is_left_out(length: int) -> None:
    """A line that is too long says exactly how many characters it leaves out, and stays within its room."""
    shown = text.one_line("x" * length, 60)
    kept, _, said = shown.partition("… (+")
    assert len(shown) <= 60
    assert int(said.removesuffix(" characters)").replace(",", "")) == length - len(kept)


def test_markdown_characters_are_escaped() -> None:
    """What Markdown would give a meaning to is escaped."""
    shown = text.plain("![x](http://a/b.png) **b** :red[c] $d$ <script>")
    assert shown.replace("\u2060", "") == (
        "\\!\\[x\\]\\(http\\:\\/\\/a\\/b\\.png\\) \\*\\*b\\*\\* \\:red\\[c\\] \\$d\\$ \\<script\\>"
    )


def test_links_are_broken_up() -> None:
    """Links and addresses, which Markdown finds after escapes are gone, are kept from being found."""
    assert "\u2060" in text.plain("https://example.org").partition("example")[0]
    assert "www\u2060\\." in text.plain("www.example.org")


@given(st.text(max_size=400))
def test_nothing_but_escapes_is_added(value: str) -> None:
    """Without escapes and joiners, a label is the one line it was made from."""
    shown = text.plain(value.replace("\\", "").replace("\u2060", ""))
    assert shown.replace("\u2060", "").replace("\\", "") == text.one_line(value.replace("\\", "").replace("\u2060", ""))
