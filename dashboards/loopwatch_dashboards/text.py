"""Text from traces made safe to show: no Markdown, no HTML, nothing invisible, nothing endless.

Streamlit renders Markdown in labels, headings and messages, so a name that came from a trace goes through
`plain` there. Bodies go through `visible` into elements that show text as it is.
"""

import re

MAX_SHOWN_CHARACTERS = 20_000
_READ_CHARACTERS = 100_000
_LEFT_OUT = "… (+{:,} characters)"
# What Streamlit's Markdown gives a meaning to: CommonMark and GFM, `:colour[..]` and `:icon:` directives, `$math$`.
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$:&=/@])")
# Links, e-mail addresses, emoji codes and arrows are recognised after backslashes are gone: a character without width
# between their characters keeps them text.
_RECOGNISED_LATE = re.compile(r"(?<=[:/@<>=~-])(?=[\w/@<>=~-])|(?<=www)(?=\.)", re.IGNORECASE)
_NO_WIDTH = "\u2060"
_LINE_BREAKS = re.compile(r"\s+")
# Unicode's direction overrides and isolates can make text read as something else (CVE-2021-42574).
_DIRECTION_CONTROLS = {
    ord(c): f"⟨U+{ord(c):04X}⟩" for c in "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
}
_CONTROL_PICTURES = {code: chr(0x2400 + code) for code in range(32) if chr(code) not in "\n\t"}
_VISIBLE = {
    **_CONTROL_PICTURES,
    **_DIRECTION_CONTROLS,
    0x7F: "\u2421",
    **{code: f"⟨U+{code:04X}⟩" for code in range(0x80, 0xA0)},
}


def visible(text: str, max_characters: int = MAX_SHOWN_CHARACTERS) -> str:
    """Text with its control characters made visible, cut where it is too long to show.

    Args:
        text: any string of a trace.
        max_characters: how much is kept.

    Returns:
        The text; where something was cut, a last line says how much.
    """
    shown = text[:max_characters].replace("\r\n", "\n").translate(_VISIBLE)
    left_out = len(text) - max_characters
    return f"{shown}\n… {left_out:,} more characters not shown" if left_out > 0 else shown


def one_line(text: str, max_characters: int = 200) -> str:
    """Text as one visible line; of a longer one the beginning, and how much is left out: "… (+1,203 characters)"."""
    read = text[:_READ_CHARACTERS]
    line = _LINE_BREAKS.sub(" ", visible(read, _READ_CHARACTERS)).strip()
    unread = len(text) - len(read)
    if len(line) + unread <= max_characters:
        return line
    # With all of it left out the number would be longest: that much room is enough for the one that is written.
    shown = line[: max(1, max_characters - len(_LEFT_OUT.format(len(line) + unread)))].rstrip()
    return shown + _LEFT_OUT.format(len(line) + unread - len(shown))


def plain(text: str, max_characters: int = 200) -> str:
    """Text for a place where Streamlit renders Markdown: one line, shown exactly as written."""
    line = _RECOGNISED_LATE.sub(_NO_WIDTH, one_line(text, max_characters))
    return _MARKDOWN.sub(r"\\\1", line)
